"""Results in, adapters, tasks and training jobs out."""
