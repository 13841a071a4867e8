"""Standard errors and intervals: clustered, over independent units, resampled, between runs, shared, planned with."""
