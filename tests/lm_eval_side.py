"""What lm-eval answers on a local checkpoint and the local task: the oracle of the scores."""

from pathlib import Path
from typing import Any


def lm_eval_answers(
    checkpoint: Path, documents: Path, *, chat: bool = False, model: dict[str, Any] | None = None, **keys: Any
) -> list[dict[str, Any]]:
    """lm-eval's logged items of one language of a local task, in their order; ``keys`` are further task keys.

    ``model`` holds further arguments of its model.
    """
    from lm_eval import evaluate
    from lm_eval.api.task import ConfigurableTask
    from lm_eval.models.huggingface import HFLM

    task = {
        "task": "local",
        "output_type": "multiple_choice",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(documents)}},
        "test_split": "test",
        "doc_to_text": "{{question}}",
        "doc_to_choice": "{{choices}}",
        "doc_to_target": "answer",
        "metric_list": [{"metric": "acc"}, {"metric": "acc_norm"}],
        **keys,
    }
    arguments = {"dtype": "float32", "device": "cpu", "batch_size": 4, "softmax_dtype": "float32", **(model or {})}
    network = HFLM(pretrained=str(checkpoint), **arguments)
    tasks = {"local": ConfigurableTask(config=task)}
    found = evaluate(network, tasks, log_samples=True, bootstrap_iters=0, apply_chat_template=chat)
    return sorted(found["samples"]["local"], key=lambda one: one["doc_id"])
