"""Values that nobody expects, and damage to documents and to the bytes of files: what the fuzz draws from."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import yaml
from hypothesis import strategies as st

TEXTS = [
    "", " ", "\n", "de", "no", "on", "null", "~", "0", "-1", "1e5", "0,5", "51%", "nan", "inf", "n/a", "true", "A",
    "(B)",
    "../..", "/", "/dev/null", "/dev/full", "/proc/self/mem", ".", "..", "a/b", "a@b", "a+b", "\0", "a\nb", "a\tb",
    "\ud800", "\u202ea", "\u200b", "\x1b[31m", "\x7f", "[b]", "[/b]", ":smile:", "{{ x }}", "{% for", "{{ 'a'*10**9 }}",
    "{language}", "{", "}", "{0}", "%s", "%(x)s", "*", "[1]", "?", "~/x", "$HOME", "-", "--out", "-x", "a" * 300,
    "b" * 5000, "é", "漢字", "🙂", "ı", "=1+1", "@x", "2024-13-45", "2024-01-01", "0x1f", "1_000", "1:30", "9" * 400,
    "!x",
    "&a", "*a", "<<", "file:///etc/passwd", "http://[", "https://example.invalid/x.csv", "lm_eval:x", "org/model",
    "deu_Latn",
    "zxx-unknown-x", "()", "(a+)+$", "\\", "'", '"', "`", "__import__", "__class__", "None", "[1, 2", '{"a": 1}',
    "def", "id",
]  # fmt: skip
NUMBERS: list[Any] = [
    0, 1, -1, 2, 7, 255, 2**31, 2**53, 2**63, 2**64, -(2**63) - 1, 10**30, 10**400, 0.0, -0.0, 0.5, 1.0, 1e-320, 1e308,
    float("nan"), float("inf"), float("-inf"),
]  # fmt: skip

texts = st.sampled_from(TEXTS) | st.text(max_size=6)
scalars = st.none() | st.booleans() | texts | st.sampled_from(NUMBERS) | st.integers() | st.floats()
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)


@st.composite
def damaged(draw: st.DrawFn, document: Any, *, most: int = 3) -> Any:
    """A copy of a document of lists, mappings and scalars in which one to ``most`` places hold something else."""
    changed = [copy.deepcopy(document)]
    for _ in range(min(most, draw(st.sampled_from([1, 1, 1, 2, 3])))):
        places = [*_places(changed)][::-1]  # the whole document comes last
        if not places:
            break
        container, key = places[draw(st.integers(0, len(places) - 1))]
        _change(draw, container, key)
    return changed[0] if changed else None


def _places(container: Any) -> Iterator[tuple[Any, Any]]:
    for key, value in list(container.items() if isinstance(container, dict) else enumerate(container)):
        yield container, key
        if isinstance(value, dict | list):
            yield from _places(value)


def _change(draw: st.DrawFn, container: Any, key: Any) -> None:
    how = draw(
        st.sampled_from(["replace", "replace", "alike", "alike", "leave out", "wrap", "nest", "rename", "add", "swap"])
    )
    old = container[key]
    if how == "replace":
        container[key] = draw(values)
    elif how == "alike":
        container[key] = draw(_alike(old))
    elif how == "leave out":
        del container[key]
    elif how == "wrap":
        container[key] = [old]
    elif how == "nest":
        container[key] = {draw(texts): old}
    elif isinstance(container, dict) and how == "rename":
        container[draw(texts)] = container.pop(key)
    elif isinstance(container, dict) and how == "add":
        container[draw(texts)] = draw(values)
    elif isinstance(container, dict):
        other = draw(st.sampled_from(sorted(container, key=str)))
        container[key], container[other] = container[other], old
    else:
        container.append(old)


def _alike(old: Any) -> st.SearchStrategy[Any]:
    """Values of the same type, so that checks of types do not hide what comes after them."""
    if isinstance(old, bool):
        return st.just(not old)
    if isinstance(old, str):
        return texts
    return st.sampled_from(NUMBERS) if isinstance(old, int | float) else values


_SCARS = [
    b"\0", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"\r", b"\n", b"\r\n", b"\t", b'"', b"'", b",", b";", b":", b": ",
    b"- ",
    b"[", b"]", b"{", b"}", b"#", b"&a [*a]", b"*a", b"<<: *a", b"!!python/object:x ", b"!function a.b", b"? ",
    b"|\n", b"---\n",
    b"%YAML 9.9\n", b"\xed\xa0\x80", b"\xe2\x80\xae", b"\x1b[2J", b"\\u", b"\\ud800", b"NaN", b"Infinity", b"1e999",
    b"9" * 5000,
    b"[" * 3000, b"{\"a\":" * 2000, b"\x00" * 64, b"{{", b"{%", b"}}", b"a" * 20000,
]  # fmt: skip


@st.composite
def scarred(draw: st.DrawFn, content: bytes, *, least: int = 1) -> bytes:
    """The bytes of a file with ``least`` to three cuts, flipped bits, insertions or repetitions."""
    for _ in range(draw(st.integers(least, 3))):
        at = draw(st.integers(0, len(content)))
        how = draw(st.sampled_from(["cut", "insert", "insert", "flip", "remove", "repeat", "noise"]))
        if how == "cut":
            content = content[:at]
        elif how == "insert":
            content = content[:at] + draw(st.sampled_from(_SCARS)) + content[at:]
        elif how == "flip" and at < len(content):
            content = content[:at] + bytes([content[at] ^ (1 << draw(st.integers(0, 7)))]) + content[at + 1 :]
        elif how == "remove":
            content = content[:at] + content[at + draw(st.integers(1, 40)) :]
        elif how == "repeat":
            content = content[:at] + content[max(0, at - draw(st.integers(1, 200))) :]
        else:
            content = content[:at] + draw(st.binary(max_size=20)) + content[at:]
    return content


def sometimes_scarred(content: bytes) -> st.SearchStrategy[bytes]:
    """The bytes as they are in seven of eight cases."""
    return st.integers(0, 7).flatmap(lambda number: scarred(content) if number == 7 else st.just(content))


def yaml_bytes(document: Any) -> bytes:
    """The document as YAML; what YAML cannot write, such as a number of 400 digits, stays as Python writes it."""
    return yaml.safe_dump(document, sort_keys=False).encode("utf-8", "surrogatepass")


def json_bytes(document: Any) -> bytes:
    """The document as JSON, with half characters escaped and with NaN and infinities as Python writes them."""
    return json.dumps(document).encode()


def yaml_files(document: Any, *, most: int = 3) -> st.SearchStrategy[bytes]:
    """A damaged document as YAML, at times with damaged bytes too."""
    return damaged(document, most=most).map(yaml_bytes).flatmap(sometimes_scarred)


def json_files(document: Any, *, most: int = 3) -> st.SearchStrategy[bytes]:
    """A damaged document as JSON, at times with damaged bytes too."""
    return damaged(document, most=most).map(json_bytes).flatmap(sometimes_scarred)


def json_lines(rows: list[Any]) -> st.SearchStrategy[bytes]:
    """Rows of which some are damaged, one JSON object a line."""
    return (
        damaged(rows)
        .map(lambda changed: changed if isinstance(changed, list) else [changed])
        .map(lambda changed: b"\n".join(json_bytes(row) for row in changed) + b"\n")
        .flatmap(sometimes_scarred)
    )
