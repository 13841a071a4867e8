"""Fine-tuning: which texts, where the loss lies, the loop, the adapter."""
