"""What a task would give to a study: counts, alignment across languages, single items as text."""
