"""A study that reads a model with the tokenizer of another folder (``models: [{id, tokenizer}]``)."""

import json
import shutil
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from donorgrid.core.errors import InputError
from donorgrid.core.names import StudyFolder
from donorgrid.pipeline.prepare.study import prepare, study_paths
from donorgrid.pipeline.run.options import RunOptions
from donorgrid.pipeline.run.run_study import run_study
from donorgrid.store.answers import read_answers
from lm_eval_side import lm_eval_answers
from worlds import give_chat_template, make_checkpoint, make_study

CHATTY = {"models": [{"id": "llama", "tokenizer": "chatty"}], "scoring": {"chat_template": True}}
SMALL = {"languages": ["de"], "sources": ["colours/de"]}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A base without a chat template, and the files of its tokenizer with one."""
    make_checkpoint("llama", tmp_path / "llama")
    AutoTokenizer.from_pretrained(tmp_path / "llama").save_pretrained(tmp_path / "chatty")
    give_chat_template(tmp_path / "chatty")
    return tmp_path


def run(file: Path) -> StudyFolder:
    path, folder = study_paths(file, None)
    progress = run_study(path, folder.root, options=RunOptions(device="cpu", jobs=1))
    assert progress.failed == 0
    return folder


@pytest.mark.filterwarnings("ignore")
def test_base_and_adapter_answer_as_in_lm_eval_with_that_tokenizer(root: Path) -> None:
    file = make_study(root, **SMALL, **CHATTY)
    folder = run(file)
    grid = prepare(*study_paths(file, None)).grid
    for subject in (*grid.baselines, *grid.runs):
        adapter = {} if subject in grid.baselines else {"peft": str(folder.adapter(subject))}
        model = {"tokenizer": str(root / "chatty"), **adapter}
        samples = lm_eval_answers(root / "llama", root / "colours-de-test.jsonl", chat=True, model=model)
        expected = {sample["doc"]["id"]: [nats for (nats, _), *_ in sample["resps"]] for sample in samples}
        answers = read_answers(folder.items(subject))
        for item_id, nats in answers.select("item_id", "choice_logliks_nats").iter_rows():
            assert nats == pytest.approx(expected[item_id], abs=1e-4)


def test_the_folder_of_results_names_the_tokenizer_and_goes_on_from_there(root: Path) -> None:
    folder = run(make_study(root, **SMALL, **CHATTY))
    again = prepare(*study_paths(folder.study_file, folder.root))
    assert again.models["llama"].tokenizer_path.resolve() == (root / "chatty").resolve()
    before = {path: path.read_bytes() for path in folder.root.rglob("*.parquet")}
    run_study(folder.study_file, folder.root, options=RunOptions(device="cpu", jobs=1))
    assert {path: path.read_bytes() for path in folder.root.rglob("*.parquet")} == before


def test_answers_under_another_tokenizer_are_new_work(root: Path) -> None:
    folder = run(make_study(root, **SMALL, models=["llama"]))
    before = {path.name for path in folder.root.rglob("*.parquet")}
    plain = json.loads(folder.plan.read_text())
    shutil.rmtree(root / "chatty")
    make_checkpoint("qwen2", root / "chatty")
    run(make_study(root, **SMALL, models=[{"id": "llama", "tokenizer": "chatty"}]))
    assert before <= {path.name for path in folder.root.rglob("*.parquet")}
    for key in ("conditions", "training_keys"):
        assert json.loads(folder.plan.read_text())[key] != plain[key]


def test_what_is_no_tokenizer_is_one_line(root: Path) -> None:
    (root / "empty").mkdir()
    for name, message in (("empty", r"tokenizer 'empty': .* holds no tokenizer\.json"), ("nobody/none", "nobody/none")):
        file = make_study(root, **SMALL, models=[{"id": "llama", "tokenizer": name}])
        with pytest.raises(InputError, match=message):
            prepare(*study_paths(file, None))
