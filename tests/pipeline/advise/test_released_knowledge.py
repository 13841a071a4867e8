"""Fetching a released table: address, digest, cache, and what is said without a network; on a made-up file."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from donorgrid.core.errors import InputError
from donorgrid.pipeline.advise import released_knowledge
from donorgrid.pipeline.advise.recommend import recommend
from donorgrid.pipeline.advise.released_knowledge import ReleasedTable, cached_file, fetch_knowledge, knowledge_path
from donorgrid.pipeline.advise.request import AdviceRequest

HEADER = (
    "model_name,fine_tuned_dataset,fine_tuned_language,eval_dataset,eval_language,regime,delta_score_norm_mean,n_seeds"
)
ROWS = [
    f"model-{number}b,{source},de,{target},de,{'MT-ML' if source == target else 'CT-ML'},{delta + number / 10},3"
    for number in (1, 2, 3)
    for source, target, delta in (
        ("ask", "ask", 1.0),
        ("ask", "tell", 0.5),
        ("read", "tell", 2.0),
        ("read", "ask", -0.5),
        ("tell", "ask", 0.0),
    )
]
CONTENT = ("\n".join([HEADER, *ROWS]) + "\n").encode()
TABLE = ReleasedTable(
    repository="nobody/none", commit="0" * 40, path="results/made_up.csv", n_rows=15, mean_pp=0.7, licence="CC BY 4.0"
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(released_knowledge, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(released_knowledge, "TABLES", {"release": TABLE})
    return tmp_path / "cache"


def server(content: bytes = CONTENT, *, listed: bytes = CONTENT) -> Callable[[str], bytes]:
    """Answers as GitHub does, with the digest of ``listed``; any other address is an error of the test."""
    digest = hashlib.sha1(b"blob " + str(len(listed)).encode() + b"\0" + listed).hexdigest()
    listing = json.dumps([{"path": "results/README.md", "sha": "1"}, {"path": TABLE.path, "sha": digest}]).encode()
    return {TABLE.address: content, TABLE.listing: listing}.__getitem__


def no_network(address: str) -> bytes:
    raise InputError(f"{address}: cannot be fetched: no route to host")


def test_the_digest_is_that_of_git() -> None:
    """``printf 'hello\\n' | git hash-object --stdin``."""
    assert released_knowledge._git_digest(b"hello\n") == "ce013625030ba8dba906f756967f9e9ca394464a"


def test_addresses_name_the_commit() -> None:
    assert TABLE.address == f"https://raw.githubusercontent.com/nobody/none/{'0' * 40}/results/made_up.csv"
    assert TABLE.listing == f"https://api.github.com/repos/nobody/none/contents/results?ref={'0' * 40}"


def test_what_was_fetched_is_knowledge_and_is_not_fetched_again() -> None:
    file = fetch_knowledge("release", fetch=server())
    assert file.read_bytes() == CONTENT
    assert fetch_knowledge("release", fetch=no_network) == file
    told = recommend(AdviceRequest(given=[], knowledge=[Path("release")], wanted={"tell/de": 1.0}, n_draws=200))
    assert told.decision.ranked[0].option.evidence.n_models == 3


def test_another_digest_keeps_nothing(cache: Path) -> None:
    with pytest.raises(InputError, match="digest is not the one that GitHub lists"):
        fetch_knowledge("release", fetch=server(CONTENT.replace(b"2.1", b"2.2")))
    assert not cache.exists()


def test_another_table_is_refused_although_its_digest_is_listed() -> None:
    other = CONTENT.replace(b",2.1,", b",2.2,")
    with pytest.raises(InputError, match="its mean transfer is"):
        fetch_knowledge("release", fetch=server(other, listed=other))
    short = b"\n".join(CONTENT.splitlines()[:-1])
    with pytest.raises(InputError, match="14 rows"):
        fetch_knowledge("release", fetch=server(short, listed=short))


def test_without_a_network_the_message_says_where_to_put_the_file() -> None:
    with pytest.raises(InputError, match="cannot be fetched") as refused:
        fetch_knowledge("release", fetch=no_network)
    assert str(refused.value).endswith(
        f"offline: put results/made_up.csv of github.com/nobody/none at {cached_file('release')}"
    )
    assert "\n" not in str(refused.value)


def test_a_file_that_was_put_there_is_checked_and_then_used(cache: Path) -> None:
    cache.mkdir()
    cached_file("release").write_bytes(CONTENT)
    with pytest.raises(InputError, match="not checked"):
        knowledge_path(Path("release"))
    fetch_knowledge("release", fetch=no_network)
    assert knowledge_path(Path("release")) == cached_file("release")
    cached_file("release").write_bytes(CONTENT + b"\n")
    with pytest.raises(InputError, match="changed since"):
        knowledge_path(Path("release"))


def test_unknown_and_unfetched_names_are_one_line() -> None:
    with pytest.raises(InputError, match="allowed are release"):
        fetch_knowledge("releases", fetch=no_network)
    with pytest.raises(InputError, match="'donorgrid fetch-knowledge release' brings it"):
        knowledge_path(Path("release"))
