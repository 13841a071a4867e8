"""Standard errors, resampling and noise."""
