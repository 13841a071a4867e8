"""Names that the exchange shares with other rooms as strings: the key sets agree."""

from typing import get_args

from donorgrid.analyse.reading.released_names import RELEASED_NAMES
from donorgrid.core.records import Metric
from donorgrid.core.regimes import REGIMES
from donorgrid.core.tables import DELTAS, DELTAS_BY_SEED
from donorgrid.exchange.adapters import card_text
from donorgrid.exchange.tables import checks, importing

COLUMNS = DELTAS.columns.keys() | DELTAS_BY_SEED.columns.keys()


def test_a_result_tables_columns_are_those_of_the_deltas() -> None:
    assert set(checks.NEEDED) <= COLUMNS
    assert set(checks.NEEDED) == {"model", *importing.CELLS}
    assert {column for columns in checks.DELTA_OF.values() for column in columns} <= COLUMNS
    assert set(importing.SCORES) == {score for _, score, _ in checks.DELTA_OF.values()}
    assert set(card_text.NEEDED) <= COLUMNS


def test_every_metric_has_its_columns() -> None:
    assert set(checks.DELTA_OF) == set(get_args(Metric))


def test_a_needed_column_has_a_released_name() -> None:
    assert set(checks.NEEDED) <= set(RELEASED_NAMES)


def test_a_card_has_words_for_every_regime() -> None:
    assert set(card_text._REGIMES) == set(REGIMES)
