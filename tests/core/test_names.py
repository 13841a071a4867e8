"""Names are safe, and no two subjects share one."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from donorgrid.core.errors import InputError
from donorgrid.core.names import StudyFolder, check_name, subject_name
from donorgrid.core.records import Baseline, Cell, Recipe, Run, Source

DE, FR = Cell(task="arc", language="de"), Cell(task="arc", language="fr")
RUN = Run(model="m", source=Source.of_cell(DE), recipe=Recipe(name="r"), train_seed=17)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\\b", "-a", "a b", "a\n", "ä", "a" * 97, ".hidden"])
def test_what_may_not_become_a_path_is_refused_in_one_line(name: str) -> None:
    with pytest.raises(InputError) as raised:
        check_name(name, what="model name")
    assert "\n" not in str(raised.value)


@given(st.text(max_size=100))
def test_a_name_that_passes_is_one_path_part(name: str) -> None:
    try:
        check_name(name, what="name")
    except InputError:
        return
    assert Path("root", name).parent == Path("root")
    assert name not in (".", "..")


def test_every_difference_between_subjects_is_a_difference_between_names() -> None:
    mixed = Source(kind="mix", name="both", parts=((DE, 0.5), (FR, 0.5)))
    subjects = [
        Baseline(model="m"),
        Baseline(model="m", replicate=1),
        RUN,
        replace(RUN, source=Source.of_cell(FR)),
        replace(RUN, source=replace(Source.of_cell(DE), kind="control", control="shuffled")),
        replace(RUN, source=mixed),
        replace(RUN, recipe=Recipe(name="r", rank=4)),
        replace(RUN, train_seed=42),
        replace(RUN, train_size=100),
        replace(RUN, train_size=100, data_seed=3),
        replace(RUN, model="n"),
    ]
    assert len({subject_name(subject) for subject in subjects}) == len(subjects)
    folder = StudyFolder(Path("study"))
    runs = [subject for subject in subjects if isinstance(subject, Run)]
    assert len({folder.adapter(run) for run in runs}) == len(runs)
