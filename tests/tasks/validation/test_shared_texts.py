"""Training texts among test items: under other wording, in parallel languages, and never by the format alone."""

from donorgrid.core.records import Cell, CellItems, Item, SharedItems, TrainingText
from donorgrid.tasks import shared_items, shared_notes

SENTENCES = {
    "en": [
        "The river rises in the southern mountains and flows past an old mill.",
        "Researchers have counted more birds on the island than ever before.",
        "Parliament rejected the budget after a debate of eleven hours.",
        "A goal in the last minute decided the final of the women's cup.",
        "Doctors advise travellers to be vaccinated before the rainy season.",
        "The museum shows paintings that were thought lost for a century.",
    ],
    "de": ["Der Fluss entspringt in den Bergen."] * 6,
}


def topics(language: str) -> CellItems:
    """Sentences to train on, in a format of their own."""
    return CellItems(
        cell=Cell(task="topics", language=language),
        train=tuple(
            TrainingText(item_id=f"s{n}", prompt=f"Text: {text}\nTopic:", target=" nature")
            for n, text in enumerate(SENTENCES[language])
        ),
        test=(),
    )


def passages(language: str, *holding: int) -> CellItems:
    """Passages; those of the numbers hold a sentence of the topics, with the wording of a reading task."""
    cell = Cell(task="reading", language=language)
    other = "Nothing of this is told anywhere else, and number {} is no exception to it."
    texts = [f"P: {other.format(n)} {SENTENCES[language][n] if n in holding else ''}\nQ: What?" for n in range(6)]
    items = tuple(
        Item(id=f"p{n}", cell=cell, context=text, choices=("x", "y"), answer=0) for n, text in enumerate(texts)
    )
    return CellItems(cell=cell, train=(), test=items)


def found(*cells: CellItems) -> tuple[SharedItems, ...]:
    by_cell = {cell.cell: cell for cell in cells}
    return shared_items(
        by_cell,
        sources=[cell for cell, items in by_cell.items() if items.train],
        targets=[cell for cell, items in by_cell.items() if items.test],
    )


def test_a_sentence_within_a_passage_is_found_and_its_parallel_items_are_named() -> None:
    shared = found(topics("en"), passages("en", 1, 4), passages("de"))
    assert [(str(pair.source), str(pair.target), pair.n_shared, pair.example, pair.parallel) for pair in shared] == [
        ("topics/en", "reading/en", 2, "p1", False),
        ("topics/en", "reading/de", 2, "p1", True),
    ]
    (note,) = shared_notes(shared)
    assert note == (
        "training texts of 'topics' occur among the test items of 'reading' in 1 cell: topics/en in 2 of 6 items of "
        "reading/en, such as 'p1'; the same items in other languages are in 1 more cell. Gains there may be memory and "
        "not transfer"
    )


def test_texts_of_one_format_with_other_content_share_nothing() -> None:
    cell = Cell(task="topics", language="en")
    items = tuple(
        Item(
            id=f"t{n}",
            cell=cell,
            context=f"Text: A wholly different story, told by {n}.\nTopic:",
            choices=("x",),
            answer=0,
        )
        for n in range(6)
    )
    assert not found(
        topics("en"), passages("en"), CellItems(cell=Cell(task="other", language="en"), train=(), test=items)
    )


def test_a_short_question_is_shared_only_if_it_is_the_same() -> None:
    def quiz(task: str, names: str) -> CellItems:
        cell = Cell(task=task, language="en")
        items = tuple(
            Item(id=name, cell=cell, context=f"Where is {name}?", choices=("x", "y"), answer=0) for name in names
        )
        texts = tuple(TrainingText(item_id=name, prompt=f"Where is {name}?", target=" x") for name in "abc")
        return CellItems(cell=cell, train=texts, test=items)

    assert not found(quiz("quiz", "def"))
    (shared,) = found(quiz("quiz", "bde"))
    assert (shared.n_shared, shared.example, shared.parallel) == (1, "b", False)


def halves(language: str, train: str, test: str, *, words: str = "{language} {name}") -> CellItems:
    """A task whose items have a letter as ID, and a text of their own in every language."""
    cell = Cell(task="quiz", language=language)
    texts = {name: f"What of {words.format(language=language, name=name)}?" for name in {*train, *test}}
    return CellItems(
        cell=cell,
        train=tuple(TrainingText(item_id=name, prompt=texts[name], target=" x") for name in train),
        test=tuple(Item(id=name, cell=cell, context=texts[name], choices=("x", "y"), answer=0) for name in test),
    )


def test_ids_that_one_language_trains_on_and_another_is_tested_on_are_parallel() -> None:
    shared = found(halves("en", "abc", "def"), halves("de", "def", "abx"))
    assert [(str(pair.source), str(pair.target), pair.n_shared, pair.example, pair.parallel) for pair in shared] == [
        ("quiz/en", "quiz/de", 2, "a", True),
        ("quiz/de", "quiz/en", 3, "d", True),
    ]
    (note,) = shared_notes(shared)
    assert note.startswith(
        "training items (by their IDs) of 'quiz' occur among the test items of 'quiz' in 2 cells: quiz/de in 3 of 3"
    )


def test_ids_that_start_again_in_each_split_are_not_compared() -> None:
    english, german = halves("en", "abc", ""), halves("de", "", "abc")
    assert not found(english, german), "no cell has both splits, so nothing says what an ID means"
    restarting = CellItems(
        cell=german.cell, train=halves("de", "abc", "", words="other {name}").train, test=german.test
    )
    assert not found(english, restarting)
