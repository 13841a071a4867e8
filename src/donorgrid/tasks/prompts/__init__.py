"""The text that a model reads: templates filled from documents, few-shot examples, and how they are joined."""
