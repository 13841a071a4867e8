"""What comes with the extra ``train`` is named in one line when it is missing."""

import re
import sys
import tomllib
from pathlib import Path

import pytest

from donorgrid.core.errors import InputError
from donorgrid.core.extras import TRAINING_PACKAGES, require_training

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def test_the_packages_are_those_of_the_extra() -> None:
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    names = [re.split(r"[<>=~!\[; ]", requirement)[0] for requirement in project["optional-dependencies"]["train"]]
    assert sorted(names) == sorted(TRAINING_PACKAGES)
    always = {re.split(r"[<>=~!\[; ]", requirement)[0] for requirement in project["dependencies"]}
    assert not always & set(TRAINING_PACKAGES)


def test_a_missing_package_is_one_line_that_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    require_training("run")
    monkeypatch.setattr("donorgrid.core.extras.find_spec", lambda name: None if name == "peft" else sys)
    with pytest.raises(InputError) as raised:
        require_training("run")
    assert str(raised.value) == 'run needs peft, which is not installed: pip install "donorgrid[train]"'
