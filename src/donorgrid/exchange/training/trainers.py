"""A fine-tuning as the configuration of other trainers: TRL, LLaMA-Factory, Axolotl.

Key names are those of TRL 1.16, LLaMA-Factory 0.9.5 and Axolotl 0.19, checked by loading them there.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from donorgrid.core.records import Recipe, TrainingText
from donorgrid.exchange.training.jobs import TrainingJob, prompt_completion, segments, written_completion

LONGEST_UNSTATED = 4096
"""The truncation length for trainers that need a number, if the texts state none."""


@dataclass(frozen=True, kw_only=True)
class Trainer:
    """How a job is written for one trainer.

    Attributes
    ----------
    file : str
        The name of the configuration file.
    command : str
        What a user runs in the folder.
    config : callable
        The job to the configuration, as plain data.
    row : callable
        A training text and its job to a row of the data file.
    further : callable
        The job to other files: name to text.
    differs : callable
        The job to what the trainer does differently from donorgrid, for the README.
    """

    file: str
    command: str
    config: Callable[[TrainingJob], dict[str, Any]]
    row: Callable[[TrainingText, TrainingJob], dict[str, Any]]
    further: Callable[[TrainingJob], dict[str, str]]
    differs: Callable[[TrainingJob], tuple[str, ...]]


def _trl(job: TrainingJob) -> dict[str, Any]:
    recipe = job.recipe
    lora = {
        "lora_r": recipe.rank,
        "lora_alpha": _whole(recipe.alpha),
        "lora_dropout": recipe.dropout,
        "lora_target_modules": _modules(recipe),
        "use_rslora": recipe.method == "rslora",
        "use_dora": recipe.method == "dora",
    }
    return {
        "model_name_or_path": job.model_id,
        **({"model_revision": job.revision} if job.revision else {}),
        # With bf16 a full fine-tuning keeps float32 weights and computes in bf16, as in donorgrid.
        "dtype": "bfloat16" if recipe.precision == "bf16" and recipe.method != "full" else "float32",
        "dataset_name": "data",
        "dataset_train_split": "train",
        **({"dataset_test_split": "validation"} if job.validation else {}),
        "max_length": job.longest,
        "packing": False,
        "completion_only_loss": True,
        **_hugging_face(job),
        "use_peft": recipe.method != "full",
        **({} if recipe.method == "full" else lora),
    }


def _llama_factory(job: TrainingJob) -> dict[str, Any]:
    recipe, modules = job.recipe, _modules(job.recipe)
    lora = {
        "lora_rank": recipe.rank,
        "lora_alpha": _whole(recipe.alpha),
        "lora_dropout": recipe.dropout,
        "lora_target": "all" if isinstance(modules, str) else ",".join(modules),
        "use_rslora": recipe.method == "rslora",
        "use_dora": recipe.method == "dora",
    }
    return {
        "model_name_or_path": job.model_id,
        **({"model_revision": job.revision} if job.revision else {}),
        "stage": "sft",
        "do_train": True,
        "finetuning_type": "full" if recipe.method == "full" else "lora",
        **({} if recipe.method == "full" else lora),
        "dataset_dir": "data",
        "dataset": "train_rows",
        **({"eval_dataset": "validation_rows"} if job.validation else {}),
        "template": "empty",
        "cutoff_len": job.longest or LONGEST_UNSTATED,
        "packing": False,
        **_hugging_face(job),
    }


def _dataset_info(job: TrainingJob) -> dict[str, str]:
    columns = {"prompt": "prompt", "response": "completion"}
    splits = ("train", "validation") if job.validation else ("train",)
    info = {f"{split}_rows": {"file_name": f"{split}.jsonl", "columns": columns} for split in splits}
    return {"data/dataset_info.json": json.dumps(info, indent=1) + "\n"}


def _axolotl(job: TrainingJob) -> dict[str, Any]:
    recipe, modules = job.recipe, _modules(job.recipe)
    rows = {"ds_type": "json", "type": "input_output"}
    lora = {
        "adapter": "lora",
        "lora_r": recipe.rank,
        "lora_alpha": _whole(recipe.alpha),
        "lora_dropout": recipe.dropout,
        **({"lora_target_linear": True} if isinstance(modules, str) else {"lora_target_modules": modules}),
        "peft_use_rslora": recipe.method == "rslora",
        "peft_use_dora": recipe.method == "dora",
    }
    shared = _hugging_face(job)
    return {
        "base_model": job.model_id,
        **({"revision_of_model": job.revision} if job.revision else {}),
        **({} if recipe.method == "full" else lora),
        "datasets": [{"path": "data/train.jsonl", **rows}],
        **({"test_datasets": [{"path": "data/validation.jsonl", "split": "train", **rows}]} if job.validation else {}),
        "sequence_len": job.longest or LONGEST_UNSTATED,
        "excess_length_strategy": "truncate",
        "sample_packing": False,
        "pad_to_sequence_len": False,
        "train_on_inputs": False,
        "num_epochs": recipe.epochs,
        "micro_batch_size": recipe.batch_size,
        "optimizer": shared.pop("optim"),
        "lr_scheduler": shared.pop("lr_scheduler_type"),
        **{key: value for key, value in shared.items() if key not in _NOT_IN_AXOLOTL},
    }


_NOT_IN_AXOLOTL = {"num_train_epochs", "per_device_train_batch_size", "per_device_eval_batch_size", "report_to"}


def _hugging_face(job: TrainingJob) -> dict[str, Any]:
    """Returns the keys of transformers' ``TrainingArguments``, which all three trainers take."""
    recipe = job.recipe
    chosen = {
        "eval_strategy": "epoch",
        "load_best_model_at_end": True,
        "metric_for_best_model": "eval_loss",
        "greater_is_better": False,
    }
    return {
        "num_train_epochs": recipe.epochs,
        "per_device_train_batch_size": recipe.batch_size,
        "per_device_eval_batch_size": recipe.batch_size,
        "gradient_accumulation_steps": 1,
        "learning_rate": recipe.learning_rate,
        "lr_scheduler_type": "constant_with_warmup" if recipe.schedule == "constant" else recipe.schedule,
        "warmup_steps": job.n_warmup,
        "weight_decay": recipe.weight_decay,
        "max_grad_norm": recipe.max_grad_norm,
        "optim": "adamw_torch",
        "bf16": recipe.precision == "bf16",
        "seed": job.train_seed,
        "save_strategy": "epoch",
        **(chosen if job.validation else {}),
        "report_to": "none",
        "output_dir": "out",
    }


def _modules(recipe: Recipe) -> str | list[str]:
    return recipe.target_modules if isinstance(recipe.target_modules, str) else list(recipe.target_modules)


def _whole(alpha: float) -> int | float:
    return int(alpha) if alpha == int(alpha) else alpha


def _trl_differs(job: TrainingJob) -> tuple[str, ...]:
    if job.reads_template:
        return (
            "TRL applies the tokenizer's chat template. Its loss covers the assistant's whole message and all that "
            "the template writes after it; donorgrid's covers the answer and its end of turn.",
            *(("donorgrid appends no end of turn.",) if not job.appends_eos else ()),
        )
    return (
        *(
            ("TRL ends every completion with the end-of-text token and trains on it; donorgrid adds no token.",)
            if not job.appends_eos
            else ()
        ),
        *(
            ("TRL puts the tokenizer's special tokens before a text; donorgrid reads these texts without.",)
            if "apart" in job.ways
            else ()
        ),
    )


def _written_differs(job: TrainingJob) -> tuple[str, ...]:
    if "joint" not in job.ways:
        return ()
    return (
        "The special tokens are written out in the texts. Prompt and completion are tokenised apart; donorgrid "
        "tokenises them as one text, so tokens at their border may differ.",
    )


TRAINERS: dict[str, Trainer] = {
    "trl": Trainer(
        file="sft.yaml",
        command="trl sft --config sft.yaml",
        config=_trl,
        row=prompt_completion,
        further=lambda _: {},
        differs=_trl_differs,
    ),
    "llama-factory": Trainer(
        file="sft.yaml",
        command="llamafactory-cli train sft.yaml",
        config=_llama_factory,
        row=written_completion,
        further=_dataset_info,
        differs=_written_differs,
    ),
    "axolotl": Trainer(
        file="axolotl.yaml",
        command="axolotl train axolotl.yaml",
        config=_axolotl,
        row=segments,
        further=lambda _: {},
        differs=_written_differs,
    ),
}
"""The trainers by the name on the command line."""
