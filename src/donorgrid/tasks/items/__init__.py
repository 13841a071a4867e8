"""Documents to test items and training texts, which of them a limit draws, and how generated answers are judged."""
