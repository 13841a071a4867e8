"""Names that the exchange shares with other rooms as strings: the key sets agree."""

from typing import get_args

from donorgrid.analyse.reading.released_names import RELEASED_NAMES
from donorgrid.core.records import Metric
from donorgrid.core.regimes import REGIMES
from donorgrid.core.tables import DELTAS, DELTAS_BY_SEED, result_tables
from donorgrid.exchange.adapters import card_text
from donorgrid.exchange.tables import importing

COLUMNS = DELTAS.columns.keys() | DELTAS_BY_SEED.columns.keys()


def test_a_result_tables_columns_are_those_of_the_deltas() -> None:
    assert set(result_tables.NEEDED) <= COLUMNS
    assert set(result_tables.NEEDED) == {"model", *result_tables.CELL_COLUMNS}
    for columns in result_tables.METRIC_COLUMNS.values():
        assert {columns.delta, columns.score, columns.base, columns.right, columns.right_base} <= COLUMNS
    assert set(importing.SCORES) == {columns.score for columns in result_tables.METRIC_COLUMNS.values()}
    assert set(card_text.NEEDED) <= COLUMNS


def test_every_metric_has_its_columns() -> None:
    assert set(result_tables.METRIC_COLUMNS) == set(get_args(Metric))


def test_a_needed_column_has_a_released_name() -> None:
    assert set(result_tables.NEEDED) <= set(RELEASED_NAMES)


def test_a_card_has_words_for_every_regime() -> None:
    assert set(card_text._REGIMES) == set(REGIMES)
