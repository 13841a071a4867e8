"""What the paper's grid takes at the measured speed, and the results as a page."""

from collections.abc import Mapping
from typing import Any

from gpu_kit.runner import Result
from gpu_kit.work import N_EPOCHS, N_ITEMS, N_LANGUAGES, N_SEEDS, N_TEXTS, TASKS

GOALS_MINUTES = {"qwen2.5-0.5b": 30.0, "llama-3.2-1b": 55.0, "llama-3.1-8b": 300.0}
"""The goals for 44 sources x 44 targets x 3 seeds, judged on an H200."""
MODELS = ("qwen2.5-0.5b", "llama-3.2-1b", "llama-3.2-3b", "llama-3.1-8b")


def estimate(results: Mapping[str, Result]) -> Result:
    """Minutes of a whole grid, for every model whose scoring and training were measured."""
    models = {name: found for name in MODELS if (found := grid_minutes(name, results)) is not None}
    return {"stage": "estimate", "status": "done", "seconds": 0.0, "grid": "44 x 44 x 3", "models": models}


def grid_minutes(name: str, results: Mapping[str, Result]) -> dict[str, Any] | None:
    """The parts of a grid in minutes.

    Scoring is scaled by items, training by texts and epochs. A baseline is scored once; a merge and a restore are added
    for every adapter, and packing once.
    """
    scoring, training = results.get(f"scoring speed {name}", {}), results.get(f"training speed {name}", {})
    if "best_way" not in scoring or "seconds_per_adapter_and_epoch" not in training:
        return None
    n_adapters = len(TASKS) * N_LANGUAGES * N_SEEDS
    n_of_scoring = N_LANGUAGES * N_ITEMS / scoring["items_per_task"]
    n_of_epochs = N_EPOCHS * N_TEXTS / (training["texts"] + training["validation_texts"])
    score_s = n_of_scoring * scoring[scoring["best_way"]]["seconds"]
    train_s = training["fixed_seconds_per_adapter"] + n_of_epochs * training["seconds_per_adapter_and_epoch"]
    minutes = {
        "score": (n_adapters + 1) * score_s / 60,
        "train": n_adapters * train_s / 60,
        "merge and restore": n_adapters * scoring["switch_seconds"] / 60,
        "pack": n_of_scoring * scoring["pack_seconds"] / 60,
    }
    total = sum(minutes.values())
    goal = GOALS_MINUTES.get(name)
    return {
        "minutes": {part: round(value, 2) for part, value in minutes.items()},
        "total_minutes": round(total, 1),
        "goal_minutes": goal,
        "goal_met": None if goal is None or "H200" not in scoring.get("card", "") else total <= goal,
        "card": scoring.get("card"),
        "scored_with": scoring["best_way"],
        "trained_with": training.get("best_way"),
        "best_group": training.get("best_group"),
    }


def page(results: Mapping[str, Result]) -> str:
    """All results as Markdown: one line a stage, then the estimate."""
    lines = ["| stage | status | ok | seconds | what |", "|---|---|---|---|---|"]
    for result in results.values():
        if result["stage"] == "estimate":
            continue
        shown = {key: value for key, value in result.items() if key not in ("stage", "status", "ok", "seconds")}
        cells = (result["stage"], result["status"], result.get("ok", ""), result["seconds"], _short(shown))
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    lines += ["", "| model | card | minutes for 44 x 44 x 3 | goal | met on an H200 |", "|---|---|---|---|---|"]
    for name, found in estimate(results)["models"].items():
        met = {True: "yes", False: "no", None: "not judged"}[found["goal_met"]]
        lines.append(f"| {name} | {found['card']} | {found['total_minutes']} | {found['goal_minutes'] or ''} | {met} |")
    return "\n".join(lines) + "\n"


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_short(part)}" for key, part in value.items())
    return f"{value:.4g}" if isinstance(value, float) else str(value).replace("|", "/")
