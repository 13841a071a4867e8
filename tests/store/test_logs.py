"""Failures and manifests: every line of every process is read."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from donorgrid.core.names import StudyFolder
from donorgrid.store.logs import (
    Failure,
    damaged_lines,
    forget_failures,
    note_failure,
    process_name,
    read_failures,
    read_manifests,
    write_manifest,
)

FAILURE = Failure(key="a", model="m", source="arc/de", recipe="r", train_seed=17, reason="loss is NaN")


def of_other_process(folder: StudyFolder, failure: Failure) -> None:
    path = folder.process_file("failures", "elsewhere-1-1")
    with path.open("a") as stream:
        stream.write(json.dumps(failure.__dict__) + "\n")


def test_all_failures_of_all_processes_are_read(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    failures = {key: replace(FAILURE, key=key) for key in "abcdef"}
    for key in "abc":
        note_failure(folder, failures[key])
    for key in "def":
        of_other_process(folder, failures[key])
    assert read_failures(folder) == failures


def test_a_later_failure_of_the_same_work_replaces_the_earlier_one(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    note_failure(folder, FAILURE)
    later = replace(FAILURE, reason="too little memory")
    note_failure(folder, later)
    assert read_failures(folder) == {"a": later}


def test_forgotten_failures_are_gone(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    note_failure(folder, FAILURE)
    forget_failures(folder)
    assert read_failures(folder) == {}


@pytest.mark.parametrize("line", ['{"key": "hal', "\0" * 60, "", "[1]", "null", '{"key": 1}', "\udcff", '{"key": "k"}'])
def test_a_damaged_line_is_named_and_passed_over(tmp_path: Path, line: str) -> None:
    folder = StudyFolder(tmp_path)
    note_failure(folder, FAILURE)
    (path,) = folder.process_files("failures")
    with path.open("ab") as stream:
        stream.write(line.encode("utf-8", "surrogateescape") + b"\n")
    note_failure(folder, replace(FAILURE, key="b"))
    assert set(read_failures(folder)) == {"a", "b"}
    assert damaged_lines(folder) == [f"{path}: line 2 is damaged (1 in all): passed over"]


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"notes": 1, "versions": {}}', "\0"])
def test_a_damaged_manifest_is_named_and_left_out(tmp_path: Path, text: str) -> None:
    folder = StudyFolder(tmp_path)
    write_manifest(folder, {"notes": ["n"], "versions": {"torch": "2"}})
    (tmp_path / "log" / "manifest-other.json").write_text(text)
    assert read_manifests(folder) == [{"notes": ["n"], "versions": {"torch": "2"}}]
    assert damaged_lines(folder) == [f"{tmp_path}/log/manifest-other.json: damaged: passed over"]


def test_a_passing_failure_is_forgotten_alone(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    note_failure(folder, FAILURE)
    note_failure(folder, replace(FAILURE, key="b", passing=True))
    forget_failures(folder, passing_only=True)
    assert read_failures(folder) == {"a": FAILURE}


@pytest.mark.parametrize(
    ("reason", "passing"),
    [
        ("RuntimeError: Expected one of cpu, cuda, ... device type at start of device string: gpu", True),
        ("CUDA out of memory. Tried to allocate 2.00 GiB", True),
        ("RuntimeError: [enforce fail at alloc_cpu.cpp:117] . DefaultCPUAllocator: can't allocate memory", True),
        ("training diverged in epoch 1: validation loss nan", False),
    ],
)
def test_failures_of_version_0_1_0_that_were_not_the_work_s_own_are_tried_again(
    tmp_path: Path, reason: str, passing: bool
) -> None:
    folder = StudyFolder(tmp_path)
    old = {name: value for name, value in replace(FAILURE, reason=reason).__dict__.items() if name != "passing"}
    path = folder.process_file("failures", process_name())
    path.parent.mkdir()
    path.write_text(json.dumps(old) + "\n")
    assert read_failures(folder)["a"].passing is passing
