"""Which option is chosen: ties go to the first, and lengths divide."""

from donorgrid.score.choose import choose, choose_norm


def test_a_tie_goes_to_the_first_option() -> None:
    assert choose([-2.0, -1.0, -1.0]) == 1
    assert choose([-1.0, -1.0, -1.0]) == 0


def test_a_tie_after_dividing_by_lengths_goes_to_the_first_option() -> None:
    assert choose_norm([-2.0, -4.0, -1.0], [2, 4, 1]) == 0
    assert choose_norm([-9.0, -4.0, -2.0], [3, 4, 2]) == 1


def test_the_length_of_an_option_changes_the_choice() -> None:
    assert choose([-3.0, -4.0]) == 0
    assert choose_norm([-3.0, -4.0], [2, 4]) == 1
