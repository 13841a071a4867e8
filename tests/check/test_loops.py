"""Loops in generated texts: real ones, and what only looks like one."""

import numpy as np
import pytest

from donorgrid.check import Reply, loop_limit_of, passing_replies
from donorgrid.check.loops import LEAST_SHARE, MOST_SHARE, loops, repeated_share

LOOPS = [
    "The answer is yes. " * 8,
    "so " * 40,
    "Und dann gehen wir nach Hause und schlafen. " * 5 + "Und dann",
    "再见。" * 20,
    "a" * 60,
    "\n".join(["1. Buy milk", "2. Sell milk"] * 40),
    # replies of real models, cut after 128 tokens
    "美国生活在海里的动物是一种美好的生活，" + "它可以看成一种美好的生活，" * 4 + "它可以\ufffd",
    "雨短诗：\n\n雨短诗是一种狦，" + "狦短诗是一种狦，" * 5 + "狦短\ufffd",
    "你可以在家做面！" * 9 + "你可以在\ufffd",
    "اكتب قصيدة قصيرة عن المطر.\n\n" * 3 + "اكتب قصيدة",
    "बारिश पर एक छोटी कविता लिखिए।\n\n" * 3 + "बारिश पर एक छोटी क",
    "Il domento è uno dei primi consigli, che non è uno dei primi.\n\n" * 4 + "Il",
    "L'addition de trois conseils pour mieux dormir est un débat de la justice, un débat de la justice, un débat de la "
    "justice.",
    "1. **" + "1." * 60,
    "1" + "0" * 126,
    # a list that goes on with the same entries, and a loop in the first third of a reply
    "Ten animals of the sea:\n" + "\n".join(f"{n}. A fish that lives in the sea" for n in range(1, 9)),
    "I know, I know, I know, I know, I know, but the bread needs flour, water, salt and yeast. Mix them, let the dough "
    "rest for an hour, form a loaf of it, and bake it at a high heat until its crust is brown.",
]
NO_LOOPS = [
    "",
    "no, no, no, no",
    "Bye bye bye bye!",
    "100000000000000000000000000000",
    "Wash the apples, peel them, cut them into slices and put them into the bowl. Then mix flour, sugar and butter.",
    "The most romantic meal imaginable. I'm a culinary expert, and I've had the pleasure of creating unforgettable "
    "experiences. I'm particularly fond of the classic Italian dish, lasagna, but I'm also a fan of the modern twists.",
    "1. Snail: Snails are marine animals that live in the sea. They are found in the ocean.\n\n2. Fish: Fish are "
    "animals that live in the ocean. They are also found in the sea.\n\n3. Seaweed: Seaweed is a type of algae.",
    "one, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve, thirteen, fourteen, fifteen, sixteen",
    "\n".join(f"{number}. {number}" for number in range(1, 31)),
    "| name | age |\n|------|-----|\n| Ann | 31 |\n| Bob | 27 |\n" + "-" * 40 + "\nThat is all.",
    "| a | b |\n| 1 | 2 |\n| 3 | 4 |\n| 5 | 6 |\n| 7 | 8 |",
]


@pytest.mark.parametrize("text", LOOPS)
def test_loops_are_found(text: str) -> None:
    assert loops(text)


@pytest.mark.parametrize("text", NO_LOOPS)
def test_what_is_no_loop_passes(text: str) -> None:
    assert not loops(text)


def test_a_piece_of_text_is_a_loop_when_it_stands_four_times_at_the_end() -> None:
    piece = "and so it goes, "
    assert not loops("Once upon a time there was a king who had three daughters and no son; " + piece * 3)
    assert loops("Once upon a time there was a king who had three daughters and no son; " + piece * 4)


def test_capitals_spaces_and_list_numbers_do_not_hide_what_is_repeated() -> None:
    lines = [f"{number}. Drink a glass of warm milk" for number in range(1, 6)]
    assert repeated_share("\n".join(lines)) == pytest.approx(0.8, abs=0.02)
    assert repeated_share("Drink a glass of warm milk.  DRINK A GLASS\nOF WARM MILK.") == pytest.approx(0.5, abs=0.02)
    assert repeated_share("") == repeated_share("12345678") == 0.0


def test_the_limit_follows_what_the_base_writes_to_these_prompts() -> None:
    varied = [f"Reply {number}: a sentence that stands here only once, {number * number}." for number in range(20)]
    form = "Name and address of the person: "
    tables = [f"{form}{number}\n{form}{number + 7}\nEnd of the {number}th table." for number in range(20)]
    looping = ["This goes on and on and on for ever. " * 9] * 20
    natural = float(np.quantile([repeated_share(text) for text in tables], 0.8))
    assert LEAST_SHARE < natural < MOST_SHARE
    assert loop_limit_of(varied) == loop_limit_of(looping) == loop_limit_of([]) == LEAST_SHARE
    assert loop_limit_of(tables) == pytest.approx(natural)
    assert loop_limit_of([line * 2 + "The end of it all." for line in tables]) == MOST_SHARE
    table = max(tables, key=repeated_share)
    judged = [
        passing_replies("no-loop", [Reply(text=table, language=None)], None, loop_limit=limit)[0]
        for limit in (LEAST_SHARE, MOST_SHARE)
    ]
    assert judged == [False, True]
