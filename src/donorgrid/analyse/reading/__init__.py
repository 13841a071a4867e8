"""From item answers or result tables to deltas."""
