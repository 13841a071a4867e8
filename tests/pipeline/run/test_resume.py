"""Nothing that was done is lost, and nothing is done twice: killed studies, shared studies, shards."""

import random
import signal
from pathlib import Path

import pytest

from running import run_here, start, start_noted, table_bytes
from worlds import make_study

N_KILLS = 20
Undisturbed = tuple[Path, dict[str, bytes], int]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """A 3 x 3 study file, the tables of a run that nothing disturbed, and how many Python calls that run took."""
    root = tmp_path_factory.mktemp("study")
    file = make_study(root, limits={"train_items": 12, "test_items": 8})
    start(file, root / "undisturbed", count=root / "calls").join()
    return file, table_bytes(root / "undisturbed"), int((root / "calls").read_text())


def written(out: Path) -> dict[str, tuple[int, int]]:
    """Every result in a study's folder, with its inode and the time when it was written."""
    found = [*out.glob("items/*/*.parquet"), *out.glob("adapters/**/adapter_model.safetensors")]
    return {str(path.relative_to(out)): (path.stat().st_ino, path.stat().st_mtime_ns) for path in found}


@pytest.mark.parametrize("number", range(N_KILLS))
def test_a_study_killed_at_a_random_moment_and_resumed_gives_the_same_tables(
    undisturbed: Undisturbed, tmp_path: Path, number: int
) -> None:
    file, expected, n_calls = undisturbed
    process = start(file, tmp_path, die_at=random.Random(number).randrange(n_calls))
    process.join()
    assert process.exitcode == -signal.SIGKILL
    finished = written(tmp_path)
    run_here(file, tmp_path)
    assert table_bytes(tmp_path) == expected
    after = written(tmp_path)
    assert {name: after[name] for name in finished} == finished
    assert not [*tmp_path.rglob(".unfinished-*"), *tmp_path.glob("claims/*")]


def test_two_processes_share_a_study_and_do_nothing_twice(undisturbed: Undisturbed, tmp_path: Path) -> None:
    file, expected, _ = undisturbed
    out = tmp_path / "shared"
    notes = [tmp_path / f"notes-{number}" for number in range(2)]
    for process in [start_noted(file, out, path) for path in notes]:
        process.join()
        assert process.exitcode == 0
    done = [path.read_text().splitlines() for path in notes]
    assert sorted(done[0] + done[1]) == sorted(set(done[0] + done[1]))
    assert [line.split()[0] for line in sorted(done[0] + done[1])] == ["score"] * 4 + ["train"] * 3
    assert all(done)
    assert table_bytes(out) == expected


def test_shards_split_the_runs_without_a_word(undisturbed: Undisturbed, tmp_path: Path) -> None:
    file, expected, _ = undisturbed
    out = tmp_path / "shards"
    trained = []
    for number in (1, 2):
        start_noted(file, out, tmp_path / "notes", (number, 2)).join()
        lines = (tmp_path / "notes").read_text().splitlines()
        trained.append([line for line in lines if line.startswith("train")])
    assert [len(lines) for lines in trained] == [2, 1]
    assert table_bytes(out) == expected
