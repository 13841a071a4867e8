"""The sources by rank, and what is specific to them."""

import polars as pl
from example_tables import page_with


def test_sources_are_ranked_and_what_is_specific_to_them_is_shown() -> None:
    sources = pl.DataFrame(
        {
            "source_task": ["continent", "currency"],
            "source_language": ["en", "de"],
            "rank": [1, 2],
            "mean_pp": [2.0, 1.0],
            "se_pp": [None, None],
            "noise_se_pp": [0.4, 0.5],
        },
        schema_overrides={"se_pp": pl.Float64},
    )
    specific = pl.DataFrame(
        {"control": "other sources", "regime": ["MT-CL"], "mean_pp": [0.7], "mean_se_pp": [0.2], "harm_rate": [0.1]}
    )
    page = page_with(sources=sources, specific_regimes=specific)
    assert [row[:2] for row in page.tables["Sources"][1:]] == [["continent", "en"], ["currency", "de"]]
    assert "+0.70" in page.tables["Specific transfer by control and regime"][1]
    ids = [attributes.get("id") for tag, attributes in page.tags if tag == "section"]
    assert {"sources", "specific"} <= set(ids)
