"""Whether models rank donors alike."""

import polars as pl
from example_tables import page_with

from donorgrid.core import tables as declared


def example_agreement() -> pl.DataFrame:
    return declared.AGREEMENT.check(
        pl.DataFrame(
            {
                "what": ["language donor", "task donor"],
                "between": ["models", "models"],
                "n_candidates": [3, 3],
                "n_pairs": [1, 1],
                "kendall": [0.5, None],
                "spearman": [0.75, None],
                "ceiling_kendall": [0.875, None],
                "recipe": "lora-0a1b2c3d",
                "train_size": pl.Series([None, None], dtype=pl.Int64),
            }
        )
    )


def test_the_agreement_on_donors_is_shown_with_its_ceiling() -> None:
    page = page_with(("one", "two"), agreement=example_agreement())
    rows = page.tables["Agreement of donor ranks"]
    assert rows[1:] == [
        ["language donor", "models", "3", "1", "0.5", "0.75", "0.875"],
        ["task donor", "models", "3", "1", "–", "–", "–"],
    ]
    assert "language donors, between models, ceiling: 0.875" in page.text
    assert not [
        text for tag, attributes in page.tags if tag == "section" for text in attributes.values() if text == "baselines"
    ]
