"""Whatever the input, a command ends in an answer: 0, a verdict, or one line that names the file.

A few hundred inputs in the ordinary run; ``make fuzz`` tries 20,000. ``DONORGRID_FUZZ`` says how many,
``DONORGRID_FUZZ_SEED`` which ones.
"""

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from cases import LIMIT_S, Case, Outcome, outcome_of
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy
from model_inputs import adapters, check_files, models
from result_inputs import mappings, outputs, tables
from study_inputs import damaged_folders, damaged_imports, studies, templates
from task_inputs import data_files, lm_eval_tasks, task_files
from word_inputs import command_lines
from world import make_world

CLASSES: dict[str, tuple[Callable[[Path], SearchStrategy[Case]], int]] = {
    "study files": (studies, 2000),
    "task files": (task_files, 2000),
    "task files of lm-eval": (lm_eval_tasks, 1500),
    "data files": (data_files, 2500),
    "templates": (templates, 2000),
    "result tables": (tables, 1500),
    "outputs of lm-eval": (outputs, 1500),
    "mapping files": (mappings, 1500),
    "check files, prompts": (check_files, 900),
    "adapters": (adapters, 800),
    "models": (models, 1000),
    "folders of studies": (damaged_folders, 800),
    "folders of imports": (damaged_imports, 1000),
    "command lines": (command_lines, 1000),
}
"""Every class of inputs, with its share of 20,000."""
N_INPUTS = int(os.environ.get("DONORGRID_FUZZ", "220"))
SEED = int(os.environ.get("DONORGRID_FUZZ_SEED", "0"))


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_world(tmp_path_factory.mktemp("fuzz") / "world")


def tried(inputs: SearchStrategy[Case], world: Path, *, count: int) -> list[tuple[Case, Outcome]]:
    """So many inputs of a class with how each ended; the same ones for the same seed."""
    ended: list[tuple[Case, Outcome]] = []

    @seed(SEED)
    @settings(
        max_examples=count,
        phases=(Phase.generate,),
        derandomize=False,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(inputs)
    def one_input(case: Case) -> None:
        ended.append((case, outcome_of(case, world)))

    one_input()
    return ended


def kinds_of_problems(ended: list[tuple[Case, Outcome]]) -> str:
    """Every kind of problem with the smallest input that shows it."""
    kinds: dict[tuple[str, str], tuple[Case, Outcome]] = {}
    for case, outcome in ended:
        if outcome.problem is not None:
            kind = outcome.problem, outcome.where
            if kind not in kinds or len(repr(case)) < len(repr(kinds[kind][0])):
                kinds[kind] = case, outcome
    return "\n\n".join(
        f"{problem} {where}\n{case!r}\n  {outcome.err.strip()[-500:]}"
        for (problem, where), (case, outcome) in kinds.items()
    )


@pytest.mark.parametrize("name", CLASSES)
def test_every_input_ends_in_an_answer(name: str, sound: Path, record_property: Callable[[str, object], None]) -> None:
    strategy, share = CLASSES[name]
    ended = tried(strategy(sound), sound, count=max(8, round(N_INPUTS * share / 20_000)))
    slowest_s = max(outcome.seconds for _, outcome in ended)
    record_property(
        "fuzz", [name, len(ended), dict(Counter(outcome.code for _, outcome in ended)), round(slowest_s, 1)]
    )
    assert slowest_s < LIMIT_S
    problems = kinds_of_problems(ended)
    assert not problems, problems


@pytest.mark.parametrize(
    ("words", "files", "problem"),
    [
        (("tasks", "show", "a"), {}, None),
        (("tasks", "show", "a"), {}, "the message does not name the file"),
        (("models", "broken"), {}, "code 70"),
        (("models", "endless"), {}, "hang"),
    ],
)
def test_the_fuzz_sees_what_is_no_answer(
    words: tuple[str, ...], files: dict[str, bytes], problem: str | None, sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def model(*_: object, **__: object) -> object:
        if words[1] == "broken":
            raise ZeroDivisionError("ours")
        while True:
            pass

    monkeypatch.setattr("cases.LIMIT_S", 0.2)
    monkeypatch.setattr("donorgrid.pipeline.prepare.inventory.models_named", model)
    name = "elsewhere" if problem and problem.startswith("the message") else words[-1]
    outcome = outcome_of(Case(words=words, files=files, names=(name,)), sound)
    assert (outcome.problem or "").startswith(problem or "")
    assert (outcome.problem is None) == (problem is None)
