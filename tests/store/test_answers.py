"""Item answers and adapters: what is damaged or belongs to other work is never read as whole."""

import json
import random
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from donorgrid.core.errors import StoreError
from donorgrid.core.names import StudyFolder
from donorgrid.core.tables import ITEM_ANSWERS
from donorgrid.store.adapters import read_stamp, write_adapter
from donorgrid.store.answers import AnswersFooter, read_answers, read_footer, write_answers
from donorgrid.store.logs import Failure, note_failure, read_failures

FOOTER = AnswersFooter(training_key="t", adapter_digest="a", scoring_keys={"arc/de": "k"})


def answers() -> pl.DataFrame:
    row = {
        "target_task": "arc",
        "target_language": "de",
        "item_id": "q1",
        "answer": 1,
        "choice_logliks_nats": [-1.5, -0.5],
        "choice_lengths": [3, 4],
        "chosen": 1,
        "correct": True,
        "chosen_norm": 1,
        "correct_norm": True,
        "generated": None,
    }
    return pl.DataFrame([row], schema=dict(ITEM_ANSWERS.columns))


def test_answers_come_back_with_their_footer_and_equal_input_gives_equal_bytes(tmp_path: Path) -> None:
    write_answers(tmp_path / "one.parquet", answers(), FOOTER)
    write_answers(tmp_path / "two.parquet", answers(), FOOTER)
    assert read_answers(tmp_path / "one.parquet").equals(answers())
    assert read_footer(tmp_path / "one.parquet") == FOOTER
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()
    assert read_footer(tmp_path / "none.parquet") is None


@pytest.mark.parametrize("length", [0, 10, 0.5, 0.99])
def test_a_file_cut_short_is_a_store_error_that_says_what_to_do(tmp_path: Path, length: float) -> None:
    path = tmp_path / "cut.parquet"
    write_answers(path, answers(), FOOTER)
    content = path.read_bytes()
    path.write_bytes(content[: int(length if length >= 1 else length * len(content))])
    for read in (read_footer, read_answers):
        with pytest.raises(StoreError, match="gives them again"):
            read(path)


def many_answers() -> pl.DataFrame:
    frame = pl.concat([answers()] * 40)
    logliks = [[-0.01 * number, -3.5 + 0.07 * number] for number in range(40)]
    ids, types = [f"q{number}" for number in range(40)], pl.List(pl.Float64)
    return frame.with_columns(item_id=pl.Series(ids), choice_logliks_nats=pl.Series(logliks, dtype=types))


def test_no_single_bit_of_a_file_changes_without_a_word(tmp_path: Path) -> None:
    path, footer = tmp_path / "answers.parquet", replace(FOOTER, subject="m/base")
    write_answers(path, many_answers(), footer)
    content = path.read_bytes()
    draw = random.Random(1)
    for _ in range(1500):
        at, bit = draw.randrange(len(content)), draw.randrange(8)
        path.write_bytes(content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :])
        with pytest.raises(StoreError, match=r"answers\.parquet: no whole file of item answers"):
            read_answers(path)
        with suppress(StoreError):  # the footer alone has a digest of its own
            assert read_footer(path) == footer


def test_a_file_without_a_checksum_is_read_as_it_is(tmp_path: Path) -> None:
    """As version 0.1.0 wrote them."""
    metadata = {
        "donorgrid": json.dumps({"training_key": None, "adapter_digest": None, "scoring_keys": {"arc/de": "k"}})
    }
    answers().write_parquet(tmp_path / "old.parquet", metadata=metadata)
    assert read_answers(tmp_path / "old.parquet").equals(answers())
    footer = read_footer(tmp_path / "old.parquet")
    assert footer is not None
    assert (footer.scoring_keys, footer.subject) == ({"arc/de": "k"}, None)


def _save(folder: Path) -> None:
    (folder / "adapter_config.json").write_text(json.dumps({"r": 4, "base_model_name_or_path": str(folder)}))
    (folder / "adapter_model.safetensors").write_bytes(b"weights")


def test_an_adapter_is_known_by_its_content_not_by_where_it_lies(tmp_path: Path) -> None:
    first = write_adapter(tmp_path / "a", "key", _save)
    second = write_adapter(tmp_path / "b", "key", _save)
    assert first == second == read_stamp(tmp_path / "a")
    assert read_stamp(tmp_path / "none") is None


@pytest.mark.parametrize("damage", ["adapter_model.safetensors", "adapter_config.json", "donorgrid.json"])
def test_a_damaged_adapter_is_never_used(tmp_path: Path, damage: str) -> None:
    write_adapter(tmp_path / "a", "key", _save)
    (tmp_path / "a" / damage).write_text("{}")
    with pytest.raises(StoreError, match="run again"):
        read_stamp(tmp_path / "a")


def test_failures_survive_a_line_that_a_killed_process_left_half_written(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    failure = Failure(key="k", model="m", source="arc/de", recipe="r", train_seed=17, reason="loss is NaN")
    note_failure(folder, failure)
    (path,) = folder.process_files("failures")
    with path.open("a") as stream:
        stream.write('{"key": "hal')
    assert read_failures(folder) == {"k": failure}


def test_a_finished_adapter_is_never_written_over_by_one_of_the_same_training(tmp_path: Path) -> None:
    """A process that slept through its lease finds what another one finished meanwhile."""
    first = write_adapter(tmp_path / "a", "key", _save)
    inode = (tmp_path / "a").stat().st_ino

    def save_others(folder: Path) -> None:
        _save(folder)
        (folder / "adapter_model.safetensors").write_bytes(b"others")

    assert write_adapter(tmp_path / "a", "key", save_others) == first
    assert (tmp_path / "a").stat().st_ino == inode
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert write_adapter(tmp_path / "a", "another key", save_others) != first
    assert (tmp_path / "a" / "adapter_model.safetensors").read_bytes() == b"others"


def test_a_damaged_adapter_is_written_over(tmp_path: Path) -> None:
    first = write_adapter(tmp_path / "a", "key", _save)
    (tmp_path / "a" / "adapter_model.safetensors").write_bytes(b"weighty")
    assert write_adapter(tmp_path / "a", "key", _save) == first == read_stamp(tmp_path / "a")
