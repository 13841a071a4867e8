"""Task files (lm-eval's YAML with added keys) and plain data files: their keys, checked."""
