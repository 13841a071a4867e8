"""Stratified draws: proportions, equal IDs in all languages, and orders whose beginnings are proportional."""

from collections import Counter

import numpy as np
import pytest
from sklearn.model_selection import train_test_split

from donorgrid.statistics.item_draws import draw_ids, largest_remainder, stratified_order

SIB200_TEST = (51, 40, 30, 25, 22, 19, 17)
"""The topics of SIB-200's test split, which is sorted by topic."""


def sorted_file(counts: tuple[int, ...] = SIB200_TEST) -> dict[str, int]:
    labels = np.repeat(np.arange(len(counts)), counts).tolist()
    return {f"q{number}": label for number, label in enumerate(labels)}


def counts_of(drawn: frozenset[str], strata: dict[str, int]) -> dict[int, int]:
    return dict(sorted(Counter(strata[item_id] for item_id in drawn).items()))


def test_largest_remainders_of_a_known_file() -> None:
    shares = [count / 204 for count in SIB200_TEST]
    assert largest_remainder(48, shares) == [12, 9, 7, 6, 5, 5, 4]  # 12, 9.41, 7.06, 5.88, 5.18, 4.47, 4


@pytest.mark.parametrize("count", [7, 48, 61, 100, 190])
def test_a_draw_has_the_proportions_of_scikit_learn(count: int) -> None:
    strata = sorted_file()
    theirs, _ = train_test_split(list(strata), train_size=count, stratify=list(strata.values()), random_state=0)
    (ours,) = draw_ids([strata], count, seed=42)
    assert counts_of(ours, strata) == counts_of(frozenset(theirs), strata)


def test_seeds_draw_other_items_and_no_place_of_the_file_is_preferred() -> None:
    strata = sorted_file((300,))
    draws = [next(iter(draw_ids([strata], 60, seed=seed))) for seed in range(40)]
    assert len(set(draws)) == 40
    often = Counter(item_id for draw in draws for item_id in draw)
    halves = [sum(often[f"q{number}"] for number in part) for part in (range(150), range(150, 300))]
    assert sum(halves) == 2400
    assert abs(halves[0] - 1200) < 90  # four standard deviations


def test_languages_get_equal_ids_where_some_lack_items() -> None:
    whole = sorted_file()
    lacking = {item_id: label for item_id, label in whole.items() if item_id not in ("q3", "q60", "q200")}
    reordered = dict(reversed(whole.items()))
    draws = draw_ids([whole, lacking, reordered], 60, seed=42)
    assert len(set(draws)) == 1
    assert len(draws[0]) == 60
    assert counts_of(draws[0], whole) == counts_of(draw_ids([whole], 60, seed=42)[0], whole)


def test_languages_whose_labels_have_other_names_get_equal_ids() -> None:
    german = sorted_file()
    english = {item_id: "zyxwvut"[label] for item_id, label in german.items()}
    draws = draw_ids([german, english], 30, seed=1)
    assert draws[0] == draws[1]


def test_answers_that_differ_between_languages_stay_in_proportion_in_each() -> None:
    rng = np.random.default_rng(0)
    one = sorted_file((120, 60, 20))
    other = dict(zip(one, rng.permutation(list(one.values())).tolist(), strict=True))
    first, second = draw_ids([one, other], 50, seed=42)
    assert first == second
    assert counts_of(first, one) == counts_of(second, other) == {0: 30, 1: 15, 2: 5}


def test_what_common_items_do_not_fill_each_language_adds_of_its_own() -> None:
    small = sorted_file((10, 10))
    large = {**small, **{f"x{number}": number % 2 for number in range(60)}}
    alone = {f"y{number}": number % 2 for number in range(40)}
    in_small, in_large = draw_ids([small, large], 30, seed=42)
    assert in_small == frozenset(small) < in_large
    assert counts_of(in_large, large) == {0: 15, 1: 15}
    nothing, here, there = draw_ids([{}, large, alone], 12, seed=42)
    assert nothing == frozenset()
    assert counts_of(here, large) == counts_of(there, alone) == {0: 6, 1: 6}


def test_every_beginning_of_an_order_is_in_proportion() -> None:
    strata = sorted_file()
    order = stratified_order(strata, seed="0/0")
    assert sorted(order) == sorted(strata)
    for count in (10, 48, 100, 150):
        counts = Counter(strata[item_id] for item_id in order[:count])
        assert all(abs(counts[label] - count * size / 204) < 1 for label, size in enumerate(SIB200_TEST))
    assert stratified_order(dict(reversed(strata.items())), seed="0/0") == order
    assert stratified_order(strata, seed="1/0")[:20] != order[:20]
