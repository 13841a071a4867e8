"""The text of a model card: the training, and what the adapter gives to and takes from every other cell."""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl
import yaml

from donorgrid.core.errors import InputError
from donorgrid.core.records import after, epochs_in_words
from donorgrid.core.regimes import TRAINED_CELL, TRANSFER_REGIMES
from donorgrid.core.tables.counts import gained_items
from donorgrid.exchange.adapters.card import AdapterCard, last_part
from donorgrid.statistics.harm import harmed

NEEDED = ("target_task", "target_language", "delta_pp")
_TASK_TYPE = "text-generation"
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]+)*")


def card_text(card: AdapterCard) -> str:
    """Returns the card: the hub's YAML, then Markdown.

    Raises
    ------
    InputError
        If ``card.profile`` lacks a column of a table of deltas.
    """
    for name in NEEDED:
        if name not in card.profile.columns:
            raise InputError(f"transfer profile: column '{name}' is missing; it has {', '.join(card.profile.columns)}")
    return f"---\n{_metadata(card)}\n---\n\n{_body(card)}"


def _metadata(card: AdapterCard) -> str:
    """Returns the hub's YAML: the fields of a model card, and the scores as a model index."""
    languages = dict.fromkeys(cell.language for cell in card.source.cells)
    name, results = f"{last_part(card.base_model)}, {card.source.name}", list(_results(card))
    fields: dict[str, Any] = {
        "base_model": card.base_name if card.base_is_on_hub else None,
        "datasets": list(card.datasets),
        "language": [language for language in languages if _LANGUAGE.fullmatch(language)],
        "library_name": "transformers" if card.is_whole else "peft",
        "model_name": name if card.profile.height and not results else None,
        "pipeline_tag": _TASK_TYPE,
        "tags": ["donorgrid", "transfer", card.recipe.method],
    }
    if results:
        fields["model-index"] = [{"name": name, "results": results}]
    given = {name: value for name, value in fields.items() if value}
    return yaml.safe_dump(given, sort_keys=False, allow_unicode=True).strip()


def _results(card: AdapterCard) -> Iterator[dict[str, Any]]:
    score = "score_norm" if card.metric == "acc_norm" else "score"
    if score not in card.profile.columns:
        return
    for row in card.profile.drop_nulls(score).iter_rows(named=True):
        task, language = row["target_task"], row["target_language"]
        yield {
            "task": {"type": _TASK_TYPE},
            "dataset": {"name": f"{task}/{language}", "type": task, "config": language},
            "metrics": [{"type": "accuracy", "value": round(row[score], 4), "name": card.metric}],
        }


def _body(card: AdapterCard) -> str:
    parts = [_head(card), _summary(card), _table(card), _how(card), _terms(card)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(card: AdapterCard) -> str:
    recipe, revision = card.recipe, f" at revision `{card.revision}`" if card.revision else ""
    trained = ", ".join(f"{_plain(str(cell))} ({weight:.0%})" for cell, weight in card.source.parts)
    control = f", a control: its answers are {card.source.control}" if card.source.control else ""
    what, rank = f"A {recipe.method} adapter for", f"rank {recipe.rank}, alpha {recipe.alpha:g}, "
    if card.is_whole:
        what, rank = "A whole checkpoint: all weights of", ""
    return (
        f"# {_plain(last_part(card.base_model))}, fine-tuned on {_plain(card.source.name)}\n\n"
        f"{what} `{card.base_name}`{revision}, trained on {trained}{control}: {rank}"
        f"{_dose(card)}, learning rate {recipe.learning_rate:g}, batch "
        f"{recipe.batch_size}, train seed {card.train_seed}. Trained and measured with donorgrid."
        f"{_where(card)}{_scaling(card)}"
    )


def _dose(card: AdapterCard) -> str:
    whole = epochs_in_words(card.recipe.epochs)
    return whole if card.checkpoint is None else f"as it was {after(card.checkpoint)} of {whole}"


def _scaling(card: AdapterCard) -> str:
    return f" It is not exported as it was trained, but {card.scaling}." if card.scaling else ""


def _where(card: AdapterCard) -> str:
    """Returns a sentence that says where the base model is if its name is no hub ID."""
    if card.base_is_on_hub or card.is_whole:
        return ""
    if card.built_in:
        return (
            f" The base model `{card.base_name}` is on no hub: it is built into donorgrid, and `donorgrid pocket write "
            f"--out {card.base_name}` writes it into the folder that the lines below load."
        )
    return f" The base model is in a folder called `{card.base_name}`, not on a hub: load it from where you have it."


def _summary(card: AdapterCard) -> str:
    """Returns one line per regime: the mean delta, the number of cells, how many lost the limit or more."""
    head = (
        "## What it gives and takes\n\n"
        f"Change of {card.metric} against the base model on the same items, in percentage points. A change within two "
        "standard errors of zero may be noise; whether a cell is safe, harmed or undecided is what `donorgrid check` "
        "says.\n\n"
    )
    if "regime" not in card.profile.columns or card.profile["regime"].null_count():
        return head + _line("all targets", card.profile, card.harm_limit_pp)
    lines = [
        _line(_REGIMES[regime], card.profile.filter(pl.col("regime") == regime), card.harm_limit_pp)
        for regime in (TRAINED_CELL, *TRANSFER_REGIMES)
    ]
    return head + "\n".join(line for line in lines if line)


_REGIMES = {
    "MT-ML": "the trained cell itself",
    "MT-CL": "the same task in other languages",
    "CT-ML": "other tasks in the same language",
    "CT-CL": "other tasks in other languages",
}


def _line(what: str, rows: pl.DataFrame, limit_pp: float) -> str:
    known = rows.drop_nulls("delta_pp")
    if not known.height:
        return ""
    deltas, (gained, n_items) = known["delta_pp"].to_numpy(), gained_items(known)
    lost = int(harmed(deltas, limit_pp, gained=gained, n_items=n_items).sum())
    return f"- {what}: {float(np.mean(deltas)):+.2f} on average over {known.height}, {lost} lost {limit_pp:g} or more"


def _table(card: AdapterCard) -> str:
    norm = "_norm" if card.metric == "acc_norm" else ""
    rows = [
        f"| {_plain(row['target_task'])} | {_plain(row['target_language'])} | {_share(row.get(f'score{norm}_base'))} "
        f"| {_share(row.get(f'score{norm}'))} | {row['delta_pp']:+.2f} | {_error(row.get('se_pp'))} "
        f"| {_number(row.get('n_items'))} |"
        for row in card.profile.drop_nulls("delta_pp").sort("delta_pp", descending=True).iter_rows(named=True)
    ]
    head = "| task | language | base | adapter | change (pp) | ± SE | items |\n|---|---|---:|---:|---:|---:|---:|"
    return "\n".join([head, *rows]) if rows else ""


def _how(card: AdapterCard) -> str:
    if card.is_whole:
        return (
            "## How to use it\n\n```python\nfrom transformers import AutoModelForCausalLM, AutoTokenizer\n\n"
            'model = AutoModelForCausalLM.from_pretrained("THIS FOLDER OR ITS HUB ID")\n'
            'tokenizer = AutoTokenizer.from_pretrained("THIS FOLDER OR ITS HUB ID")\n```'
        )
    return (
        "## How to use it\n\n```python\nfrom peft import PeftModel\nfrom transformers import AutoModelForCausalLM\n\n"
        f"base = AutoModelForCausalLM.from_pretrained({card.base_name!r})\n"
        'model = PeftModel.from_pretrained(base, "THIS FOLDER OR ITS HUB ID")\n```'
    )


def _terms(card: AdapterCard) -> str:
    lines = [f"- {_plain(task)}: {_plain(licence)}" for task, licence in card.licences.items()]
    return "## Terms of the training data\n\n" + "\n".join(lines) if lines else ""


def _plain(text: str) -> str:
    """Escapes what Markdown would format in names and data."""
    return re.sub(r"([\\`*_{}\[\]<>()#!|])", r"\\\1", " ".join(text.split()))


def _share(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f}%"


def _error(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"
