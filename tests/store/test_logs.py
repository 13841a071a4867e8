"""Failures and manifests: every line of every process is read."""

import json
from dataclasses import replace
from pathlib import Path

from donorgrid.core.names import StudyFolder
from donorgrid.store.logs import Failure, forget_failures, note_failure, read_failures

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
