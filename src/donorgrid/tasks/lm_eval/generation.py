"""The rules of a ``generate_until`` task that lm-eval's own code reads."""

from typing import Any

from donorgrid.core.errors import InputError
from donorgrid.tasks.items.generation import GenerationRules, rules_of
from donorgrid.tasks.task_files.keys import GenerationKeys
from donorgrid.tasks.task_files.parsing import parse_keys

FLEXIBLE = "flexible-extract"
"""The filter that lm-eval's tasks with several filters name for the answer wherever it stands in the text."""
_READ = ("generation_kwargs", "filter_list", "metric_list", "fewshot_delimiter")
_NOT_OURS = {"dataset_path": "lm-eval", "test_split": "test", "doc_to_text": "question", "doc_to_target": "answer"}


def rules_in(configuration: dict[str, Any], *, where: str) -> GenerationRules:
    """The rules in a task's configuration; of several filters, ``flexible-extract``.

    InputError when there are several filters and none has that name, or a key is not read.
    """
    if configuration.get("process_results"):
        raise InputError(f"{where}: key 'process_results' is Python code: how answers are judged is not read")
    content = {"task": where, "output_type": "generate_until", **_NOT_OURS}
    content |= {key: _known(key, configuration[key]) for key in _READ if configuration.get(key)}
    names = [entry.get("name") for entry in configuration.get("filter_list") or ()]
    if len(names) > 1:
        if FLEXIBLE not in names:
            raise InputError(f"{where}: several filters {names}, of which none is '{FLEXIBLE}'; say in a task file "
                             "which answer counts ('answer_filter')")  # fmt: skip
        content["answer_filter"] = FLEXIBLE
    keys = parse_keys(content, where=where)
    if not isinstance(keys, GenerationKeys):
        raise InputError(f"{where}: output_type is '{keys.output_type}'; expected generate_until")
    return rules_of(keys, {}, where=where)


def _known(key: str, value: Any) -> Any:
    """The settings that greedy decoding has; lm-eval reads a temperature that is written as text, too."""
    if key != "generation_kwargs":
        return value
    greedy = {name: one for name, one in value.items() if name in ("until", "max_gen_toks", "do_sample")}
    return greedy | ({"temperature": float(value["temperature"])} if "temperature" in value else {})
