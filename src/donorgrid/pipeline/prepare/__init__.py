"""From a study file to everything that the work needs."""
