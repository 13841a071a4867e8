"""How answers end and are judged in a ``generate_until`` task that lm-eval's own code reads."""

from typing import Any

from donorgrid.core.errors import InputError
from donorgrid.tasks.items.generation import GenerationRules, rules_of
from donorgrid.tasks.task_files.keys import GenerationKeys
from donorgrid.tasks.task_files.parsing import parse_keys

FLEXIBLE = "flexible-extract"
"""What lm-eval's tasks with several filters call the one that finds the answer anywhere in the text."""
_READ = ("generation_kwargs", "filter_list", "metric_list", "fewshot_delimiter")
_PLACEHOLDERS = {"dataset_path": "lm-eval", "test_split": "test", "doc_to_text": "question", "doc_to_target": "answer"}


def rules_in(configuration: dict[str, Any], *, where: str) -> GenerationRules:
    """Read the rules in the configuration of a task.

    Parameters
    ----------
    configuration
        The keys of lm-eval's task file.
    where
        The task's name, for messages.

    Returns
    -------
    GenerationRules
        Of several filters, those of ``flexible-extract``.

    Raises
    ------
    InputError
        If there are several filters and none has that name, or a key is not read.
    """
    if configuration.get("process_results"):
        raise InputError(f"{where}: key 'process_results' is Python code: how answers are judged is not read")
    content = {"task": where, "output_type": "generate_until", **_PLACEHOLDERS}
    content |= {key: _known(key, configuration[key]) for key in _READ if configuration.get(key)}
    names = [entry.get("name") for entry in configuration.get("filter_list") or ()]
    if len(names) > 1:
        if FLEXIBLE not in names:
            raise InputError(f"{where}: several filters {names}, but no '{FLEXIBLE}'; name the one that counts in a "
                             "task file ('answer_filter')")  # fmt: skip
        content["answer_filter"] = FLEXIBLE
    keys = parse_keys(content, where=where)
    if not isinstance(keys, GenerationKeys):
        raise InputError(f"{where}: output_type is '{keys.output_type}'; expected generate_until")
    return rules_of(keys, {}, where=where)


def _known(key: str, value: Any) -> Any:
    """The settings of greedy decoding; a temperature may be written as text, as in lm-eval."""
    if key != "generation_kwargs":
        return value
    greedy = {name: setting for name, setting in value.items() if name in ("until", "max_gen_toks", "do_sample")}
    return greedy | ({"temperature": float(value["temperature"])} if "temperature" in value else {})
