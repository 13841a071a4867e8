"""The summary at the top of the page: what was measured and what came out, in sentences and a few large numbers."""

from donorgrid.report.summary.contents import Summary, Tile, summary

__all__ = ["Summary", "Tile", "summary"]
