"""Command lines that nobody means: unknown words, options without values, values of another kind."""

from pathlib import Path

from cases import Case
from damage import texts
from hypothesis import strategies as st

_SOUND = [
    ("plan", "tiny.yaml", "--no-trial"), ("status", "tiny.yaml"), ("analyse", "imported"), ("report", "tiny"),
    ("fetch", "tiny.yaml"),
    ("power", "--tasks", "2", "--items", "50"), ("power", "tiny.yaml"), ("init", "new.yaml", "--preset", "pocket"),
    ("simulate", "--out", "x", "--items", "20", "--spread", "source=1.5"), ("models", "llama"), ("tasks", "ls"),
    ("check", "llama", "adapter", "--guard", "questions.jsonl:de", "--items", "2", "--limit", "-5", "--cache", "kept"),
    ("tasks", "show", "colours.yaml", "-l", "de"), ("tasks", "validate", "questions.jsonl", "--columns", "question=id"),
    ("import", "lm-eval", "outputs", "--mapping", "outputs/map.yaml", "--out", "x"), ("import", "table", "t.csv",
    "--out", "x"),
    ("export", "table", "tiny", "new.csv"), ("export", "adapter", "tiny", "--source", "colours/de", "--out", "x"),
    ("export", "training", "tiny", "--source", "colours/de", "--trainer", "axolotl", "--out", "x"),
    ("export", "lm-eval", "colours.yaml", "-l", "de", "--out", "x"), ("run", "tiny.yaml", "--shard", "1/2", "--jobs",
    "1"), (),
]  # fmt: skip
_OPTIONS = [
    "--out", "--device", "--jobs", "--json", "--harm", "--metric", "--release-arithmetic", "--rich-refits",
    "--columns", "--shard",
    "--limit", "--no-trial", "--preset", "--list", "--tasks", "--languages", "--items", "--seeds", "--models",
    "--wanted", "--flip-rate",
    "--noise-of", "--mean", "--spread", "--donor", "--harmed", "--seed", "--mapping", "--draft", "--source",
    "--model", "--recipe",
    "--train-seed", "--data-seed", "--train-size", "--checkpoint", "--base-model", "--trainer", "-l", "--item",
    "--tokenizer", "--revision",
    "--on", "--guard", "--config", "--report", "--allow-undecided", "--precision", "--chat-template",
    "--chat-template-args",
    "--max-new-tokens", "--cache", "--verify", "--retry-failed", "--help", "--version", "--nothing", "-",
]  # fmt: skip
_KNOWN = [
    "tiny.yaml", "tiny", "questions.jsonl", "colours.yaml", "llama", "adapter", "colours/de", "de", "x=1",
    "question=id", "a/b=1.5",
    "source=1e9", "1/2", "acc", "cpu", "pocket", "none.yaml", "imported", "outputs", "enable_thinking=x",
    "questions.jsonl:xx",
]  # fmt: skip
_NUMBERS = [
    "0",
    "1",
    "2",
    "-1",
    "1e300",
    "nan",
    "inf",
    "-inf",
    "1.5",
    "0.0",
    "99999999999999999999",
    "1_0",
    "٣",
    "0x10",
]
_NAMES = (
    *("Missing", "needs", "option", "argument", "--", "''", "No such command", "check:", "simulation", "power"),
    *("colours", "error: .:", "study.yaml: no such file"),
)
_COPIED = (
    *("tiny", "tiny.yaml", "questions.jsonl", "colours.yaml", "colours-de-test.jsonl", "colours-de-train.jsonl"),
    *("colours-en-test.jsonl", "colours-en-train.jsonl", "adapter", "imported", "outputs", "t.csv"),
)
_WORDS = st.sampled_from(_KNOWN) | st.sampled_from(_NUMBERS) | texts


def command_lines(world: Path) -> st.SearchStrategy[Case]:
    """Sound command lines in which words and options are replaced, added and left out."""
    del world
    return st.sampled_from(_SOUND).flatmap(_changed).map(_case)


@st.composite
def _changed(draw: st.DrawFn, sound: tuple[str, ...]) -> list[str]:
    words = list(sound)
    for _ in range(draw(st.sampled_from([1, 1, 2, 3]))):
        at = draw(st.integers(0, len(words)))
        how = draw(
            st.sampled_from(["replace", "replace", "replace", "option", "option with a word", "word", "leave out"])
        )
        if how == "option":
            words.insert(at, draw(st.sampled_from(_OPTIONS)))
        elif how == "option with a word":
            words += [draw(st.sampled_from(_OPTIONS)), draw(_WORDS)]
        elif how == "word" or at == len(words):
            words.insert(at, draw(_WORDS))
        elif how == "replace":
            words[at] = draw(_WORDS)
        else:
            del words[at]
    return words


def _case(words: list[str]) -> Case:
    words = [word.replace("\0", "") for word in words]  # the operating system hands over no NUL
    spoken = tuple(word.lstrip("-").partition("=")[0] for word in words if word.strip("-"))
    return Case(words=tuple(words), names=(*spoken, *_NAMES), copied=_COPIED)
