"""Reads a results file of lm-eval. Beside it lies a samples file for every task if samples were logged."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from donorgrid.core.errors import InputError
from donorgrid.exchange.lm_eval.json_text import read_json_object

_ADAPTER_WORDS = ("peft", "lora", "adapter", "delta")
_SAME_FOR_ALL = ("chat_template_sha", "system_instruction_sha", "fewshot_as_multiturn")


@dataclass(frozen=True, kw_only=True)
class TaskOutput:
    """One lm-eval task in one results file, ``file``.

    ``scores`` are keyed ``metric,filter`` as lm-eval writes them. ``conditions`` must be equal for scores to be
    compared: task version, number of shots, chat template, system instruction. ``samples`` is None without
    ``--log_samples``.
    """

    file: Path
    name: str
    scores: Mapping[str, float]
    n_items: int | None
    conditions: Mapping[str, object]
    delimiter: str
    samples: Path | None


@dataclass(frozen=True, kw_only=True)
class Output:
    """One results file.

    Attributes
    ----------
    path : Path
        The file.
    date : str
        When it was written, as its name says it; the order of dates is that of the texts.
    pretrained, revision, adapter : str or None
        The model and adapter that it names.
    may_be_tuned : bool
        True if its arguments speak of an adapter, also without naming one.
    n_parameters : int
        0 if it does not say.
    tasks, groups : mapping
        Its tasks and groups of tasks.
    """

    path: Path
    date: str
    pretrained: str | None
    revision: str
    adapter: str | None
    may_be_tuned: bool
    n_parameters: int
    tasks: Mapping[str, TaskOutput]
    groups: Mapping[str, tuple[str, ...]]

    @property
    def order(self) -> tuple[bool, str]:
        """Sorts files by their date; a name without a date comes first."""
        return self.date[:4].isdecimal(), self.date

    @property
    def evaluated(self) -> tuple[str | None, str, str | None]:
        """What was evaluated: two files with equal values hold results of the same model and adapter."""
        return self.pretrained, self.revision, self.adapter


def read_output(path: Path) -> Output:
    """Reads a results file. Raises InputError if lm-eval did not write it."""
    content = read_json_object(path)
    results = content.get("results")
    if not isinstance(results, dict) or not all(isinstance(scores, dict) for scores in results.values()):
        raise InputError(f"{path}: no results of lm-eval: the key 'results' is missing or no object of objects")
    config = _objects(content, "config")
    arguments = _model_arguments(config)
    date = path.stem.rpartition("_")[2]
    groups = {
        name: tuple(map(str, below))
        for name, below in _objects(content, "group_subtasks").items()
        if isinstance(below, list) and below
    }
    siblings = {sibling.name: sibling for sibling in path.parent.iterdir()}
    adapter, may_be_tuned = _adapter(arguments, config)
    return Output(
        path=path,
        date=date,
        pretrained=arguments.get("pretrained") or arguments.get("model") or _text(content.get("model_name")),
        revision="/".join(arguments[key] for key in ("revision", "subfolder") if arguments.get(key, "main") != "main"),
        adapter=adapter,
        may_be_tuned=may_be_tuned,
        n_parameters=_whole_number(config.get("model_num_parameters")) or 0,
        tasks={
            name: _task(name, scores, content, file=path, samples=siblings.get(samples_name(name, date)))
            for name, scores in results.items()
            if name not in groups
        },
        groups=groups,
    )


def samples_name(task: str, date: str) -> str:
    """Returns the name of a samples file, which lies beside its results file.

    Parameters
    ----------
    task : str
        lm-eval's task name.
    date : str
        The date of the results file.

    Returns
    -------
    str
        The name, as lm-eval makes it.
    """
    return f"samples_{task}_{date}.jsonl"


def _task(
    name: str, scores: dict[str, Any], content: dict[str, Any], *, file: Path, samples: Path | None
) -> TaskOutput:
    counted = _objects(content, "n-samples").get(name)
    n_items = counted.get("effective") if isinstance(counted, dict) else None
    config = _objects(content, "configs").get(name)
    chat = content.get("chat_template") is not None
    config = config if isinstance(config, dict) else {}
    opened = config.get("gen_prefix")
    bare = chat and not (isinstance(opened, str) and opened and not opened[-1].isspace())
    return TaskOutput(
        file=file,
        name=name,
        scores={key: float(value) for key, value in scores.items() if _is_score(key, value)},
        n_items=_whole_number(n_items),
        conditions={
            "task version": _objects(content, "versions").get(name),
            "n-shot": _objects(content, "n-shot").get(name),
            **{key: content.get(key) for key in _SAME_FOR_ALL},
        },
        # Under a chat template lm-eval writes no delimiter, unless the opened answer ends without whitespace.
        delimiter="" if bare else str(config.get("target_delimiter", " ")),
        samples=samples,
    )


def _is_score(key: str, value: object) -> bool:
    if "," not in key or "_stderr" in key:
        return False
    return isinstance(value, float) or _whole_number(value) is not None


def _whole_number(value: object) -> int | None:
    """Returns a whole number that is not negative and that floating point holds exactly; None for anything else."""
    whole = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53
    return value if whole and isinstance(value, int) else None


def _objects(content: dict[str, Any], key: str) -> dict[str, Any]:
    value = content.get(key)
    return value if isinstance(value, dict) else {}


def _model_arguments(config: dict[str, Any]) -> dict[str, str]:
    """Returns ``model_args``, which is an object or the text of the command line."""
    given = config.get("model_args")
    if isinstance(given, str):
        given = dict(part.split("=", 1) for part in given.split(",") if "=" in part)
    return {key: str(value) for key, value in given.items() if value} if isinstance(given, dict) else {}


def _adapter(arguments: Mapping[str, str], config: Mapping[str, Any]) -> tuple[str | None, bool]:
    """Returns the adapter that the arguments name, and whether they speak of one at all.

    Backends have different words for it: ``peft`` and ``delta`` (hf), ``lora_local_path`` (vllm).
    """
    about = {key: value for key, value in arguments.items() if any(word in key.lower() for word in _ADAPTER_WORDS)}
    named = [value for value in about.values() if value.lower() not in ("true", "false") and not value.isdecimal()]
    spoken_of = any(value.lower() != "false" for value in about.values())
    return ("+".join(named) or None), spoken_of or bool({"peft_sha", "delta_sha"} & config.keys())


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
