"""The sentence on the best source."""

import polars as pl
from example_tables import page_with

CHOICE = {
    "what": "source",
    "model": "one",
    "best": "continent/en",
    "n_candidates": 18,
    "apparent_pp": 5.88,
    "honest_pp": 5.22,
    "split": "items",
}


def test_the_best_source_is_reported_with_its_delta_on_the_held_out_half() -> None:
    text = page_with(choosing=pl.DataFrame([CHOICE])).text
    assert "Best of 18 sources for one: continent/en, +5.88 pp." in text
    assert "measured on the other half, the best source gives +5.22 pp" in text
