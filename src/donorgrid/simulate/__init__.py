"""Grids whose truth is known: variance components, donors, harm and flip rates. Imports without torch."""

from donorgrid.simulate.answers import simulate_answers
from donorgrid.simulate.settings import SimulationSettings
from donorgrid.simulate.tables import SimulatedTables, simulate_tables
from donorgrid.simulate.truth import true_deltas

__all__ = ["SimulatedTables", "SimulationSettings", "simulate_answers", "simulate_tables", "true_deltas"]
