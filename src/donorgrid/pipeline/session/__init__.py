"""One base model in memory: it trains adapters and answers items."""
