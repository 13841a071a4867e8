"""Base models: where they lie, what they are, how they are loaded, and their logits where they are needed."""
