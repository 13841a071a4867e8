"""From a study folder or tables to the analysis and its report."""
