"""Figures as inline SVG and HTML: geometry and colours."""
