"""What lm-eval answers on a local checkpoint and the local task: the oracle of the scores."""

from itertools import groupby
from pathlib import Path
from typing import Any


def lm_eval_answers(
    checkpoint: Path, documents: Path, *, chat: bool = False, model: dict[str, Any] | None = None, **keys: Any
) -> list[dict[str, Any]]:
    """lm-eval's logged items of one language of a local task, in their order; ``keys`` are further task keys.

    ``model`` holds further arguments of its model.
    """
    from lm_eval import evaluate

    tasks = {"local": _local_task(documents, **keys)}
    network = _model(str(checkpoint), **(model or {}))
    found = evaluate(network, tasks, log_samples=True, bootstrap_iters=0, apply_chat_template=chat)
    return sorted(found["samples"]["local"], key=lambda one: one["doc_id"])


class LmEvalChoices:
    """The options that lm-eval chooses on one language of a local task; its requests are built once for all models."""

    def __init__(self, documents: Path) -> None:
        task = _local_task(documents)
        task.build_all_requests(rank=0, world_size=1)
        self._requests = task.instances

    def chosen(self, network: Any, **arguments: Any) -> list[int]:
        """The chosen option of every item, by ``HFLM(pretrained=network, **arguments)``."""
        nats = [nats for nats, _ in _model(network, **arguments).loglikelihood(self._requests, disable_tqdm=True)]
        scored = zip(self._requests, nats, strict=True)
        options = [[nats for _, nats in item] for _, item in groupby(scored, key=lambda pair: pair[0].doc_id)]
        return [max(range(len(item)), key=item.__getitem__) for item in options]


def _local_task(documents: Path, **keys: Any) -> Any:
    from lm_eval.api.task import ConfigurableTask

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
    return ConfigurableTask(config=task)


def _model(network: Any, **arguments: Any) -> Any:
    from lm_eval.models.huggingface import HFLM

    arguments = {"dtype": "float32", "device": "cpu", "batch_size": 4, "softmax_dtype": "float32", **arguments}
    return HFLM(pretrained=network, **arguments)
