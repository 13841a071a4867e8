"""Task files and plain data files: their keys, checked."""
