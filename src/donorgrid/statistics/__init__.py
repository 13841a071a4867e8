"""The numerical core of transfer statistics: pure NumPy and SciPy, no tables, no torch."""
