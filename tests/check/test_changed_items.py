"""The changed items of a target."""

from answers_by_hand import target_answers

from donorgrid.check.changed_items import MOST_SHOWN, changes_of


def test_long_lists_of_changes_are_cut_and_counted() -> None:
    changed = changes_of(target_answers("a/de", (0, 150)), 0)
    assert (len(changed.changes), changed.n_left_out) == (MOST_SHOWN, 50)
    assert changed.changes[0].base_answer == changed.changes[0].gold != changed.changes[0].adapter_answer
