"""What an option allows is what the rest of the package knows."""

from dataclasses import fields
from typing import get_args

from donorgrid.cli import bench, planning
from donorgrid.core.records import METRICS, Metric, Precision
from donorgrid.pipeline.check.command_line import _ALLOWED
from donorgrid.simulate import SimulationSettings


def test_metrics_and_precisions_are_the_declared_ones() -> None:
    assert get_args(Metric) == METRICS == _ALLOWED["metric"]
    assert get_args(Precision) == bench.PRECISIONS == _ALLOWED["precision"]


def test_an_error_of_a_simulation_names_a_setting_that_there_is() -> None:
    assert set(planning._OPTION_OF) <= {field.name for field in fields(SimulationSettings)}
