"""Documents to test items and training texts, and how generated answers are judged."""
