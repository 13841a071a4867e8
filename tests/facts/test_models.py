"""A model's name says its family and size, by one rule, or it says neither."""

from pathlib import Path

import polars as pl
import pytest

from donorgrid import analyse_study
from donorgrid.analyse import read_tables
from donorgrid.facts.models import family_of, model_facts, size_b_of
from donorgrid.plan.presets import PAPER_MODELS

PAPER = [
    ("Llama-3.2-1B-Instruct", "Llama 3", 1.0),
    ("Llama-3.2-3B-Instruct", "Llama 3", 3.0),
    ("Llama-3.1-8B-Instruct", "Llama 3", 8.0),
    ("Qwen2.5-0.5B-Instruct", "Qwen2.5", 0.5),
    ("Qwen2.5-1.5B-Instruct", "Qwen2.5", 1.5),
    ("Qwen2.5-3B-Instruct", "Qwen2.5", 3.0),
    ("Qwen2.5-7B-Instruct", "Qwen2.5", 7.0),
    ("gemma-3-1b-it", "Gemma 3", 1.0),
    ("gemma-3-4b-it", "Gemma 3", 4.0),
]
OTHERS = [
    ("Meta-Llama-3-8B", "Llama 3", 8.0),
    ("meta-llama__Llama-3.1-8B", "Llama 3", 8.0),
    ("Llama-2-7b-hf", "Llama 2", 7.0),
    ("Qwen2-0.5B", "Qwen2", 0.5),
    ("Qwen3-30B-A3B", "Qwen3", 30.0),
    ("Qwen2.5-7B-Instruct-1M", "Qwen2.5", 7.0),
    ("gemma-2-2b-it", "Gemma 2", 2.0),
    ("Mistral-7B-Instruct-v0.3", "Mistral", 7.0),
    ("Ministral-8B-Instruct-2410", "Mistral", 8.0),
    ("pythia-410m", "Pythia", 0.41),
    ("SmolLM2-135M-Instruct", "SmolLM2", 0.135),
    ("aya-expanse-8b", "Aya", 8.0),
    ("bloom-560m", "BLOOM", 0.56),
]
UNKNOWN = [
    ("gemma-2b", None, 2.0),
    ("llama-30b-hf", None, 30.0),
    ("open_llama_3b_v2", None, 3.0),
    ("TinyLlama-1.1B-Chat-v1.0", None, 1.1),
    ("gemma-3n-E4B-it", None, None),
    ("DeepSeek-R1-Distill-Qwen-7B", None, 7.0),
    ("Llama-3.1-8B-to-Qwen2.5-7B", None, None),
    ("Mixtral-8x7B-v0.1", None, None),
    ("malayalam-7b", None, 7.0),
    ("phi-4", None, None),
    ("my-model", None, None),
    ("", None, None),
]


@pytest.mark.parametrize("form", ["{}", "some-org/{}", "/data/models/{}/", "{}-GGUF", "unsloth/{}-bnb-4bit"])
@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize(("name", "family", "size_b"), [*PAPER, *OTHERS])
def test_the_last_part_of_a_name_says_family_and_size(name, family, size_b, lower, form) -> None:
    written = form.format(name.lower() if lower else name)
    assert family_of(written) == family
    assert size_b_of(written) == pytest.approx(size_b)


@pytest.mark.parametrize(("name", "family", "size_b"), UNKNOWN)
def test_an_unknown_or_ambiguous_name_says_nothing(name, family, size_b) -> None:
    assert (family_of(name), size_b_of(name)) == (family, size_b)


def test_the_papers_models_are_those_of_its_preset() -> None:
    assert {model.rpartition("/")[2] for model in PAPER_MODELS} == {name for name, _, _ in PAPER}


def test_the_files_of_a_model_say_what_its_name_does_not() -> None:
    facts = model_facts("/models/my-model", n_parameters=1_500_000_000, model_type="llama")
    assert (facts.family, facts.size_b) == ("llama", 1.5)
    named = model_facts("Qwen/Qwen2.5-0.5B", n_parameters=494_000_000, model_type="qwen2")
    assert (named.family, named.size_b) == ("Qwen2.5", 0.5)


def released_table(path: Path, models: list[str]) -> Path:
    """A table with the released columns but no size: eight sources by eight targets for each model."""
    cells = [(task, language) for task in ("arc_challenge", "hellaswag") for language in ("bn", "de", "en", "hi")]
    rows = [
        {
            "model_name": model,
            "fine_tuned_dataset": source[0],
            "fine_tuned_language": source[1],
            "eval_dataset": target[0],
            "eval_language": target[1],
            "score_norm_mean": (240 + (7 * m + 5 * s + 3 * t) % 11) / 600,
            "score_norm_base_mean": 245 / 600,
            "n_seeds": 3,
        }
        for m, model in enumerate(models)
        for s, source in enumerate(cells)
        for t, target in enumerate(cells)
    ]
    pl.DataFrame(rows).write_csv(path)
    return path


def test_a_released_table_is_broken_down_by_family_and_size(tmp_path: Path) -> None:
    models = ["Llama-3.2-1B-Instruct", "Llama-3.1-8B-Instruct", "Qwen2.5-1.5B-Instruct", "Qwen2.5-7B-Instruct"]
    tables = analyse_study(released_table(tmp_path / "table.csv", models), tmp_path / "out").tables
    consistency = tables["consistency"].filter(pl.col("level") == "family")
    assert set(consistency["n_raters"]) == {2}
    harm = tables["harm_breakdown"]
    assert set(harm.filter(pl.col("by") == "family")["value"]) == {"Llama 3", "Qwen2.5"}
    assert harm.filter(pl.col("by") == "size_class")["value"].n_unique() == 2


def test_a_name_that_says_nothing_is_named_in_the_notes(tmp_path: Path) -> None:
    read = read_tables([released_table(tmp_path / "table.csv", ["my-model", "gemma-3-4b-it"])])
    known = dict(read.deltas.select("model", "family").unique().rows())
    assert known == {"my-model": None, "gemma-3-4b-it": "Gemma 3"}
    about_models = [note for note in read.notes if "my-model" in note]
    assert [note.split(" is known")[0] for note in about_models] == ["no family", "no size"]
