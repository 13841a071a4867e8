"""Rankings: Kendall and rank correlations, Mantel's test, and choices checked on the other half of the evidence."""
