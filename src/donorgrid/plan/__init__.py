"""From a study file to the grid of work, with what it will cost."""
