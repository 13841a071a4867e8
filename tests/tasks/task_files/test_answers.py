"""Which choice an answer of a plain data file means, in every convention of public data sets."""

import bz2
import gzip
import json
import lzma
from pathlib import Path
from typing import Any

import pyarrow
import pytest

from donorgrid.core.errors import InputError
from donorgrid.tasks import find_task, load_cell

CHOICES = ["one", "two", "three", "four"]


def rows_with(answers: list[Any], choices: Any = CHOICES) -> list[dict[str, Any]]:
    return [
        {"id": f"q{number}", "language": "en", "question": f"question {number}", "choices": choices, "answer": answer}
        for number, answer in enumerate(answers)
    ]


def read(folder: Path, rows: list[dict[str, Any]], **columns: str) -> tuple[list[int], str]:
    """The right choices of a JSONL file, and the notes on it."""
    (folder / "quiz.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return read_file(folder / "quiz.jsonl", **columns)


def read_file(path: Path, **columns: Any) -> tuple[list[int], str]:
    cell = load_cell(find_task(path.name, folder=path.parent, columns=columns or None), "en", sources={})
    return [item.answer for item in cell.test], "\n".join(cell.notes)


CONVENTIONS = [
    (["A", "B", "D"], [0, 1, 3], "letters"),
    (["a", "(b)", "D."], [0, 1, 3], "letters"),
    ([0, 1, 3], [0, 1, 3], "0 for the first"),
    (["0", "1", "3"], [0, 1, 3], "0 for the first"),
    ([0.0, 1.0, 3.0], [0, 1, 3], "0 for the first"),
    (["0.0", "1.0", "3.0"], [0, 1, 3], "0 for the first"),
    (["one", "two", "four"], [0, 1, 3], "texts"),
    (["one ", " two", "four"], [0, 1, 3], "texts"),
]


@pytest.mark.parametrize(("answers", "expected", "words"), CONVENTIONS, ids=lambda part: str(part))
def test_each_convention_gives_the_same_choices_and_is_named_with_an_example(
    tmp_path: Path, answers: list[Any], expected: list[int], words: str
) -> None:
    right, notes = read(tmp_path, rows_with(answers))
    assert right == expected
    (note,) = [line for line in notes.split("\n") if "answers are read as" in line]
    assert words in note
    assert "(row 1) is choice 2, 'two'" in note


@pytest.mark.parametrize("given", ["1", "0", "text", "letters"])
def test_the_key_wins(tmp_path: Path, given: str) -> None:
    answers = {"1": [1, 2, 4], "0": [0, 1, 3], "text": ["one", "two", "four"], "letters": ["A", "B", "D"]}[given]
    assert read(tmp_path, rows_with(answers), answers_from=given)[0] == [0, 1, 3]


def test_the_key_decides_what_the_rows_leave_open(tmp_path: Path) -> None:
    rows = rows_with([1, 2, 3, 1])
    right, notes = read(tmp_path, rows)
    assert right == [1, 2, 3, 1]
    assert "no answer is 0: if they count from 1, say answers_from: 1 (--columns answers_from=1)" in notes
    assert read(tmp_path, rows, answers_from="1")[0] == [0, 1, 2, 0]
    assert read(tmp_path, rows, answers_from="0")[0] == [1, 2, 3, 1]


REFUSED = [
    ([1, 2, 3, 4, 1], r"no answer is 0 and one equals the number of choices, 4 \(row 3\): they seem to count from 1"),
    (["1", "2", "3", "4"], r"no answer is 0 and one equals the number of choices"),
    ([1, 2, 3] * 7, r"no answer is 0 in 21 rows: they may count from 0 or from 1; say which by the key answers_from"),
    ([1.0, 2.0, 3.0] * 7, r"no answer is 0 in 21 rows"),
    ([0, 1, 4], r"answers are 0 as well as the number of choices: 0 \(row 0\) and 4 \(row 2\)"),
    ([True, False, True], r"row 0: the answer is true, a truth value; expected the number, letter or text"),
    ([0, 1, False], r"row 2: the answer is false, a truth value"),
    (["A", "B", 1], r"answers are of several kinds: 'A' \(row 0\) and 1 \(row 2\)"),
    (["one", "B", "two"], r"answers are of several kinds: 'one' \(row 0\) and 'B' \(row 1\)"),
]


@pytest.mark.parametrize(("answers", "expected"), REFUSED, ids=[expected[:40] for _, expected in REFUSED])
def test_what_could_mean_two_choices_is_refused(tmp_path: Path, answers: list[Any], expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        read(tmp_path, rows_with(answers))


def test_letters_that_are_texts_of_other_choices_are_refused(tmp_path: Path) -> None:
    rows = rows_with(["A", "B", "A"], ["B", "A"])
    with pytest.raises(InputError, match="answers such as 'A' could be the letter of a choice or its text"):
        read(tmp_path, rows)
    assert read(tmp_path, rows, answers_from="letters")[0] == [0, 1, 0]
    assert read(tmp_path, rows, answers_from="text")[0] == [1, 0, 1]
    assert read(tmp_path, rows_with(["A", "B", "A"], ["A", "B"]))[0] == [0, 1, 0]


def test_an_answer_beyond_the_choices_is_an_invalid_item_and_shifts_no_other(tmp_path: Path) -> None:
    rows = rows_with([0, 1, 9, "", None, -1, 1.5, 3])
    (tmp_path / "quiz.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    cell = load_cell(find_task("quiz.jsonl", folder=tmp_path), "en", sources={})
    assert [(item.id, item.answer) for item in cell.test] == [("q0", 0), ("q1", 1), ("q7", 3)]
    assert [item_id for item_id, _ in cell.counts["test"].invalid] == ["q2", "q3", "q4", "q5", "q6"]


FORMS = [
    {"text": CHOICES, "label": ["A", "B", "C", "D"]},
    {"text": CHOICES, "label": ["1", "2", "3", "4"]},
    {"A": "one", "B": "two", "C": "three", "D": "four", "E": None},
    [{"label": "A", "text": "one"}, {"label": "B", "text": "two"}, {"key": "C", "text": "three"}],
]


@pytest.mark.parametrize("choices", FORMS, ids=["arc", "arc with numbers", "object", "list of objects"])
def test_labelled_choices(tmp_path: Path, choices: Any) -> None:
    numbered = isinstance(choices, dict) and choices.get("label", "")[:1] == ["1"]
    answers = ["2", "1"] if numbered else ["B", "A"]
    rows = [{**row, "answerKey": row["answer"]} for row in rows_with(answers, choices)]
    for row in rows:
        del row["answer"]
    right, notes = read(tmp_path, rows)
    assert right == [1, 0]
    assert "the labels of choices" in notes


@pytest.mark.parametrize("columns", [{"choices": "A,B,C,D"}, {"choices": ["A", "B", "C", "D"]}, {}])
def test_a_column_for_each_choice_as_in_mmlu(tmp_path: Path, columns: dict[str, Any]) -> None:
    path = tmp_path / "mmlu.csv"
    path.write_text("id,language,question,A,B,C,D,answer\nq0,en,How?,one,two,three,four,B\nq1,en,Why?,x,y,z,,C\n")
    assert read_file(path, **columns)[0] == [1, 2]


def test_an_empty_column_between_choices_shifts_no_letter(tmp_path: Path) -> None:
    path = tmp_path / "mmlu.csv"
    path.write_text("id,language,question,A,B,C,answer\nq0,en,How?,one,,three,C\nq1,en,Why?,x,y,z,C\n")
    cell = load_cell(find_task(path.name, folder=tmp_path), "en", sources={})
    assert [(item.id, item.answer) for item in cell.test] == [("q1", 2)]
    assert cell.counts["test"].invalid == (("q0", "doc_to_choice: choice 1 is empty"),)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_separators_and_byte_order_marks(tmp_path: Path, separator: str, mark: str) -> None:
    cells = ["id", "language", "question", "choices", "answer"]
    row = ["q0", "en", '"How, really; or not?"', '"[\'it\'\'s\', ""a, b""]"'.replace("''", ""), "1"]
    (tmp_path / "quiz.csv").write_text(mark + separator.join(cells) + "\n" + separator.join(row) + "\n")
    task = find_task("quiz.csv", folder=tmp_path, columns={"answers_from": "0"})
    (item,) = load_cell(task, "en", sources={}).test
    assert item.context == "Question: How, really; or not?\nAnswer:"
    assert (item.choices, item.answer) == (("its", "a, b"), 1)


def test_lists_as_python_writes_them_are_read_and_those_of_numpy_are_named(tmp_path: Path) -> None:
    assert read(tmp_path, rows_with(["B", "A"], "['don\\'t', \"two\"]"))[0] == [1, 0]
    assert read(tmp_path, rows_with(["B", "A"], "('one', 'two')"))[0] == [1, 0]
    with pytest.raises(InputError, match=r"doc_to_choice: expected a list, found \"\['one' 'two'\]\""):
        read(tmp_path, rows_with(["B", "A"], "['one' 'two']"))


def _zst(content: bytes) -> bytes:
    sink = pyarrow.BufferOutputStream()
    with pyarrow.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize(
    ("suffix", "compress"), [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress), ("zst", _zst)]
)
def test_compressed_files(tmp_path: Path, suffix: str, compress: Any) -> None:
    lines = "".join(json.dumps(row) + "\n" for row in rows_with(["A", "D"]))
    for name, text in (("quiz.jsonl", lines), ("list.json", json.dumps(rows_with(["A", "D"])))):
        path = tmp_path / f"{name}.{suffix}"
        path.write_bytes(compress(text.encode()))
        assert read_file(path)[0] == [0, 3]
        path.write_bytes(compress(text.encode())[:-10])
        with pytest.raises(InputError, match=rf"{path.name}.*the compressed content is damaged"):
            read_file(path)


def test_one_rule_for_a_file_of_several_languages(tmp_path: Path) -> None:
    rows = [{**row, "language": language} for language in ("en", "de") for row in rows_with([1, 2])]
    rows[-1]["answer"] = 0
    right, notes = read(tmp_path, rows)
    assert right == [1, 2]
    assert "no answer is 0" not in notes
