"""The heat map of the transfer matrix: its geometry, its views (one per model and recipe) and its tooltips."""

from donorgrid.report.figures.heatmap.figure import HeatMap, heat_map
from donorgrid.report.figures.heatmap.tooltip import cell_error_column

__all__ = ["HeatMap", "cell_error_column", "heat_map"]
