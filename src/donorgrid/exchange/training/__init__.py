"""One fine-tuning of a study as a job for other trainers."""
