"""Analysis of transfer: from item answers or result tables to every table of the study. Imports without torch."""

from donorgrid.analyse.analysis import analyse
from donorgrid.analyse.errors.measured_noise import measured_noise
from donorgrid.analyse.measured_cells import measured_cells
from donorgrid.analyse.reading.answers import ANSWER_COLUMNS, AnsweredRun, PairedAnswers, pair_answers
from donorgrid.analyse.reading.deltas import deltas, deltas_by_seed
from donorgrid.analyse.reading.released_names import to_released
from donorgrid.analyse.reading.result_tables import ReadTables, pool_seeds, read_tables
from donorgrid.analyse.settings import AnalysisSettings

__all__ = [
    "ANSWER_COLUMNS",
    "AnalysisSettings",
    "AnsweredRun",
    "PairedAnswers",
    "ReadTables",
    "analyse",
    "deltas",
    "deltas_by_seed",
    "measured_cells",
    "measured_noise",
    "pair_answers",
    "pool_seeds",
    "read_tables",
    "to_released",
]
