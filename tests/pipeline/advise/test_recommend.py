"""``donorgrid recommend`` on simulated tables whose truth is known, with and without the model's own adapters."""

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from donorgrid.cli.app import app
from donorgrid.core.errors import InputError
from donorgrid.pipeline.advise.recommend import recommend
from donorgrid.pipeline.advise.request import AdviceRequest

TASKS, LANGUAGES = ("ask", "read", "tell"), ("de", "en", "hi")


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four models; training on ``read`` gives 6 pp on ``tell`` and takes 5 pp from ``ask``, everywhere."""
    rows = []
    for number, model in enumerate(("alpha-1b", "beta-2b", "gamma-3b", "delta-4b")):
        for index, (task, language) in enumerate((task, language) for task in TASKS for language in LANGUAGES):
            for other, (target, spoken) in enumerate((task, language) for task in TASKS for language in LANGUAGES):
                wobble = ((index * 7 + other * 5 + number * 3) % 11 - 5) / 10
                effect = {("read", "tell"): 6.0, ("read", "ask"): -5.0}.get((task, target), 0.0)
                rows.append(
                    {
                        "model": model,
                        "recipe": "lora",
                        "source_task": task,
                        "source_language": language,
                        "target_task": target,
                        "target_language": spoken,
                        "delta_pp": effect + wobble,
                        "se_seed_pp": 0.4,
                        "n_seeds": 3,
                    }
                )
    folder = tmp_path_factory.mktemp("tables")
    frame = pl.DataFrame(rows)
    frame.write_csv(folder / "all.csv")
    frame.filter(pl.col("model") != "delta-4b").write_csv(folder / "others.csv")
    few = (pl.col("source_language") == "en") & (pl.col("model") == "delta-4b")
    frame.filter(few).write_csv(folder / "few.csv")
    return folder


def ask(**changes: object) -> AdviceRequest:
    return AdviceRequest(**{"given": [], "wanted": {"tell/de": 1.0}, "n_draws": 800, **changes})  # type: ignore[arg-type]


def test_a_finished_table_is_enough(tables: Path) -> None:
    told = recommend(ask(given=[tables / "all.csv"], model="delta-4b"))
    assert told.decision.action == "train"
    assert told.decision.chosen is not None
    assert told.decision.chosen.option.name.startswith("read/")
    assert 4.0 < told.decision.chosen.gain_pp < 7.5
    assert told.decision.chosen.option.evidence.rests_on == "measured"


@pytest.mark.parametrize("own", [["few.csv"], []])
def test_other_models_speak_where_few_or_no_adapters_of_its_own_were_trained(tables: Path, own: list[str]) -> None:
    told = recommend(ask(given=[tables / name for name in own], knowledge=[tables / "others.csv"]))
    gains = {judged.option.name: judged.gain_pp for judged in told.decision.ranked}
    assert min(gains[f"read/{language}"] for language in LANGUAGES) > max(
        gains[f"{task}/{language}"] for task in ("ask",) for language in LANGUAGES
    )
    rests = {judged.option.name: judged.option.evidence.rests_on for judged in told.decision.ranked}
    assert rests["read/hi"] == ("predicted from this model's adapters" if own else "predicted from other models")


def test_a_guard_rules_out_what_harms_it(tables: Path) -> None:
    told = recommend(ask(given=[tables / "all.csv"], model="delta-4b", guards=["ask/en"]))
    by_name = {judged.option.name: judged for judged in told.decision.ranked}
    assert by_name["read/de"].safety == "harmed"
    assert (
        told.decision.chosen is None
        or not told.decision.chosen.option.name.startswith("read/")
        or (told.decision.action != "train")
    )


def test_deltas_of_the_model_itself_are_no_knowledge_of_it(tables: Path, tmp_path: Path) -> None:
    """Poison: the held-out model's own rows in the knowledge change nothing."""
    few = tables / "few.csv"
    clean = recommend(ask(given=[few], knowledge=[tables / "others.csv"]))
    poisoned = pl.read_csv(tables / "all.csv").with_columns(
        delta_pp=pl.when(pl.col("model") == "delta-4b").then(90.0).otherwise(pl.col("delta_pp"))
    )
    poisoned.write_csv(tmp_path / "poisoned.csv")
    with_poison = recommend(ask(given=[few], knowledge=[tmp_path / "poisoned.csv"]))
    assert [(judged.option.name, judged.gain_pp) for judged in clean.decision.ranked] == [
        (judged.option.name, judged.gain_pp) for judged in with_poison.decision.ranked
    ]


def test_one_model_alone_leans_on_the_built_in_numbers_and_says_so(tables: Path) -> None:
    told = recommend(ask(given=[tables / "few.csv"]))
    assert "taken from 7 models" in told.advice.untested
    assert told.decision.ranked[0].option.name in ("read/en", "same task, all languages", "everything mixed")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"wanted": {"sing/xx": 1.0}}, "nothing can be said of sing/xx"),
        ({"wanted": {}}, "at least one wanted target"),
        ({"guards": ["all", "ask/de"]}, "--guard all stands alone"),
        ({"model": "epsilon"}, "--model epsilon: measured are"),
    ],
)
def test_questions_without_an_answer_are_one_line(tables: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        recommend(ask(**{"given": [tables / "all.csv"], "model": "delta-4b", **changes}))


def test_several_models_ask_which_one_is_meant(tables: Path) -> None:
    with pytest.raises(InputError, match="cells of 4 models"):
        recommend(ask(given=[tables / "all.csv"]))


def test_the_command_prints_three_sentences_and_a_table_or_json(tables: Path) -> None:
    words = ["recommend", str(tables / "all.csv"), "--model", "delta-4b", "--for", "tell/de", "--guard", "tell/en"]
    told = CliRunner().invoke(app, words)
    assert told.exit_code == 0, told.output
    assert "Train on" in told.output
    assert "options, the best first" in told.output
    content = json.loads(CliRunner().invoke(app, [*words, "--json"]).output)
    assert content["action"] == "train"
    assert content["options"][0]["verdict"] == "safe"
    assert {option["comparator"] for option in content["options"]} >= {"own cell", "same task, all languages"}
