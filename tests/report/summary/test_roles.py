"""Sentences on the best source, on donors and on recipients."""

import re
from collections import Counter

import numpy as np
import polars as pl
from example_tables import example_deltas, example_head, page_with

from donorgrid.report.summary.roles import role_sentences

HEAD = example_head(example_deltas())

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


def test_who_loses_is_said_by_the_interval_that_stands_beside_it() -> None:
    rng = np.random.default_rng(2)
    said = Counter()
    for _ in range(200):
        mean, width = rng.normal(0, 2, 4), rng.exponential(2.0, 4)
        roles = pl.DataFrame(
            {
                "task": list("abcd"),
                "recipient_pp": mean,
                "recipient_low_pp": mean - width,
                "recipient_high_pp": mean + width,
            }
        ).with_columns(donor_pp=pl.lit(None, dtype=pl.Float64))
        (sentence,) = role_sentences(roles, "task", HEAD)
        ends = [text.replace("−", "-").split(" to ") for text in re.findall(r"\(([^)]*)\)", sentence)]
        losing = sentence.startswith("Recipient")
        assert all((float(high) < 0.0) == losing for _, high in ends)
        assert losing == bool((mean + width < -0.005).any())
        said[losing] += 1
    assert min(said.values()) > 20


def test_who_gives_is_said_by_its_interval_too() -> None:
    roles = pl.DataFrame(
        {
            "task": list("abcd"),
            "donor_pp": [2.0, 1.0, 0.5, -1.0],
            "donor_low_pp": [1.0, -0.5, 0.25, -2.0],
            "donor_high_pp": [3.0, 2.5, 0.75, 0.0],
        }
    ).with_columns(recipient_pp=pl.lit(None, dtype=pl.Float64))
    (sentence,) = role_sentences(roles, "task", HEAD)
    assert sentence == "Best donor task: a +2.00 (+1.00 to +3.00) pp.", "b may give nothing; d loses"
    (none,) = role_sentences(roles.filter(pl.col("task").is_in(["b", "d"])), "task", HEAD)
    assert none == "No task is shown to give on average as a donor; the highest mean is b +1.00 (−0.50 to +2.50) pp."


def test_resampled_intervals_take_the_place_of_those_over_models() -> None:
    roles = pl.DataFrame(
        {"task": ["a"], "recipient_pp": [-1.0], "recipient_low_pp": [-3.0], "recipient_high_pp": [1.0]}
    )
    roles = roles.with_columns(donor_pp=pl.lit(None, dtype=pl.Float64))
    row = {"kind": "task recipient", "name": "a", "statistic": "mean_pp", "value": -1.0, "low": -1.5, "high": -0.5}
    (sentence,) = role_sentences(roles, "task", HEAD, pl.DataFrame([row]))
    assert sentence == "Recipient task that loses most: a −1.00 (−1.50 to −0.50) pp."
    (other,) = role_sentences(roles, "task", HEAD)
    assert (
        other == "No task is shown to lose on average as a recipient; the lowest mean is a −1.00 (−3.00 to +1.00) pp."
    )
