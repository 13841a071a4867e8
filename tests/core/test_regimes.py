"""THE regime rule, and that it stands once."""

from pathlib import Path

import numpy as np

import donorgrid
from donorgrid.core.regimes import regime


def test_the_four_regimes() -> None:
    assert regime("arc", "de", "arc", "de") == "MT-ML"
    assert regime("arc", "de", "arc", "it") == "MT-CL"
    assert regime("arc", "de", "xnli", "de") == "CT-ML"
    assert regime("arc", "de", "xnli", "it") == "CT-CL"


def test_tables_follow_the_same_rule_as_scalars() -> None:
    tasks, languages = np.array(["a", "a", "b", "b"]), np.array(["x", "y", "x", "y"])
    named = regime("a", "x", tasks, languages)
    assert named.tolist() == [regime("a", "x", t, lang) for t, lang in zip(tasks, languages, strict=True)]


def test_nothing_else_decides_a_regime() -> None:
    root = Path(donorgrid.__file__).parent
    rule = '"CT-CL", "CT-ML", "MT-CL", "MT-ML"'
    assert [path.name for path in root.rglob("*.py") if rule in path.read_text()] == ["regimes.py"]
