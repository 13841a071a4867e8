"""What ARCHITECTURE.md and CONTRIBUTING.md name is there: files, folders, and the functions of the walk."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "donorgrid"
GUIDES = ("ARCHITECTURE.md", "CONTRIBUTING.md")
# Paths inside a study's folder, and patterns that a reader fills in.
ELSEWHERE = re.compile(r"^(tables|items|adapters|log|claims)/|[<*]")


@pytest.mark.parametrize("guide", GUIDES)
def test_every_path_of_a_guide_exists(guide: str) -> None:
    text = (ROOT / guide).read_text(encoding="utf-8")
    paths = set(re.findall(r"`((?:[\w.]+/)+[\w.]*)`", text)) | set(re.findall(r"\]\(([\w./-]+)\)", text))
    named = {path for path in paths if not ELSEWHERE.search(path)}
    assert len(named) > 15
    assert [path for path in sorted(named) if not ((PACKAGE / path).exists() or (ROOT / path).exists())] == []


def test_every_function_of_the_walk_stands_in_the_file_that_is_named_before_it() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    walk = text.partition("## A walk")[2]
    pairs = re.findall(r"`((?:\w+/)+\w+\.py)`\s+`(\w+)`", walk)
    assert len(pairs) > 8
    for path, name in pairs:
        assert re.search(rf"^(def|class) {name}\b", (PACKAGE / path).read_text(encoding="utf-8"), re.MULTILINE), (
            path,
            name,
        )
