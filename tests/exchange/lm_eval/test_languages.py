"""Task names of lm-eval spell one language in several ways."""

import json

import pytest
import yaml
from lm_eval_outputs import sample_rows, write_mapping, write_output, write_rows

from donorgrid.core.errors import InputError
from donorgrid.exchange.lm_eval.draft import draft_mapping
from donorgrid.exchange.lm_eval.outputs import import_lm_eval
from donorgrid.pipeline.analyse.analyse_study import analyse_study
from donorgrid.pipeline.exchange.import_results import import_outputs

NAMES = ("xnli_de", "belebele_deu_Latn", "belebele_zho_Hant", "belebele_zho_Hans", "belebele_lug_Latn")
RUNS = {
    "base": {"model": "m", "baseline": True},
    "de": {"model": "m", "source": "xnli/deu_Latn", "train_seed": 0},
}
TASKS = {"xnli_{language}": "xnli", "belebele_{language}": "belebele"}


def write_named(folder, names, *, seed, peft=None):
    folder.mkdir(parents=True)
    date = "2026-01-02T03-04-05.678901"
    path = write_output(folder, seed=seed, peft=peft, languages=())
    content = json.loads(path.read_text())
    for name in names:
        rows = sample_rows(name, seed=seed)
        shares = {f"{metric},none": sum(row[metric] for row in rows) / len(rows) for metric in ("acc", "acc_norm")}
        write_rows(folder / f"samples_{name}_{date}.jsonl", rows)
        content["results"][name] = shares
        content["configs"][name] = {"task": name, "target_delimiter": " "}
        content["n-samples"][name] = {"original": len(rows), "effective": len(rows)}
        content["group_subtasks"][name] = []
    path.write_text(json.dumps(content))


def write_two(root, names):
    write_named(root / "base", names, seed=0)
    write_named(root / "de", names, seed=1, peft="adapters/de")


def test_a_regime_does_not_depend_on_how_a_task_spells_its_language(tmp_path):
    write_two(tmp_path, NAMES)
    mapping = write_mapping(tmp_path, tasks=TASKS, runs=RUNS)
    imported = import_outputs([tmp_path], mapping, tmp_path / "o")
    deltas = analyse_study(imported.path).tables["deltas"]
    regimes = {f"{row['target_task']}/{row['target_language']}": row["regime"] for row in deltas.iter_rows(named=True)}
    assert regimes == {
        "xnli/de": "MT-ML",
        "belebele/de": "CT-ML",
        "belebele/zh": "CT-CL",
        "belebele/zh-Hant": "CT-CL",
        "belebele/lg": "CT-CL",
    }
    assert deltas["source_language"].unique().to_list() == ["de"]


def test_two_tasks_of_one_language_are_not_taken_for_one(tmp_path):
    write_two(tmp_path, ("xnli_de", "xnli_deu_Latn"))
    mapping = write_mapping(tmp_path, tasks=TASKS, runs=RUNS)
    with pytest.raises(InputError, match=r"'xnli_\{language\}' matches 'de' and 'deu_Latn', which are the same"):
        import_lm_eval([tmp_path], mapping_file=mapping)
    mapping = write_mapping(tmp_path, tasks=TASKS, runs=RUNS, languages={"deu_Latn": "de-x-old"})
    imported = import_lm_eval([tmp_path], mapping_file=mapping)
    assert imported.read(imported.subjects[0])["target_language"].unique().sort().to_list() == ["de", "de-x-old"]


def test_the_draft_says_what_spellings_mean(tmp_path):
    write_two(tmp_path, (*NAMES, "arc_challenge", "mmlu_in_context", "include_german"))
    draft = yaml.safe_load(draft_mapping([tmp_path]))
    assert draft["languages"] == {
        "deu_Latn": "de",
        "german": "de",
        "lug_Latn": "lg",
        "zho_Hans": "zh",
        "zho_Hant": "zh-Hant",
    }
    assert {"belebele_{language}", "include_{language}", "mmlu_in_context", "arc_challenge"} <= set(draft["tasks"])
