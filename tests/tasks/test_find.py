"""Where tasks come from: the catalog, one file for many languages, one file per language, lm-eval itself."""

from pathlib import Path

import pytest
import yaml

from donorgrid.core.errors import InputError
from donorgrid.tasks import catalog_names, find_task, load_cell
from donorgrid.tasks.lm_eval.cells import load_lm_eval_cell
from donorgrid.tasks.lm_eval.named_tasks import lm_eval_task
from donorgrid.tasks.lm_eval.texts import lm_eval_texts

LM_EVAL_FILE = """
task: {name}
output_type: multiple_choice
dataset_path: json
dataset_kwargs:
  data_files: {{train: {data}, test: {data}}}
  cache_dir: {cache}
training_split: train
test_split: test
doc_to_text: "{{{{q}}}}"
doc_to_choice: "{{{{c}}}}"
doc_to_target: a
metric_list: [{{metric: acc, aggregation: mean, higher_is_better: true}}]
"""


@pytest.mark.parametrize("name", catalog_names())
def test_every_task_of_the_catalog_reads_and_says_its_terms(name, tmp_path):
    task = find_task(name, folder=tmp_path)
    assert task.name == name
    assert task.licence != "not stated"
    assert task.has_training_split
    assert all(task.cell(language).keys.id_column or name == "xnli" for language in task.languages)


def test_the_releases_grid(tmp_path):
    release = [find_task(name, folder=tmp_path) for name in ("arc_challenge", "global_mmlu", "hellaswag", "truthfulqa")]
    assert {task.languages for task in release} == {("ar", "bn", "de", "en", "es", "fr", "hi", "id", "it", "pt", "zh")}
    assert [task.non_commercial for task in release] == [True, False, True, True]
    assert [task.metrics for task in release] == [("acc", "acc_norm"), ("acc",), ("acc", "acc_norm"), ("acc",)]
    train = [task.cell("de").keys.train for task in release]
    assert [block.max_tokens_apart for block in train] == [256, 512, 512, 128]
    assert [(block.tokenise, block.loss_on, block.keep) for block in train][3] == (None, "all", "start")


def test_one_pure_lm_eval_file_per_language(tmp_path, write_task):
    for language in ("de", "fr"):
        write_task(f"my_{language}.yaml", languages=None, task=f"my_{language}", dataset_name=f"world/{language}")
    task = find_task("my_{language}.yaml", folder=tmp_path)
    assert (task.name, task.languages) == ("my", ("de", "fr"))
    assert task.cell("fr").keys.dataset_name == "world/fr"


def test_a_file_that_does_not_say_its_language_is_told(tmp_path, write_task):
    write_task(languages=None, dataset_name="world/de")
    assert find_task("colours.yaml", folder=tmp_path, languages=["de"]).languages == ("de",)


def test_included_files_lie_beneath_the_file_that_includes_them(tmp_path, write_task):
    write_task("_base.yaml", target_delimiter="=", description="D")
    write_task("_more.yaml", description="E")
    own = {"include": ["_base.yaml", "_more.yaml"], "task": "own", "target_delimiter": ":"}
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(own))
    keys = find_task("own.yaml", folder=tmp_path).cell("de").keys
    assert (keys.task, keys.target_delimiter, keys.description) == ("own", ":", "E")


def test_digest_parts_follow_content_and_not_paths(tmp_path, write_task):
    parts = find_task(write_task().name, folder=tmp_path).digest_parts("de")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "colours.yaml").rename(elsewhere / "other.yaml")
    assert find_task("elsewhere/other.yaml", folder=tmp_path).digest_parts("de") == parts
    changed = find_task(write_task(target_delimiter="").name, folder=tmp_path).digest_parts("de")
    assert changed != parts


def test_held_out_documents_are_whole_clusters_and_the_same_in_every_language(tmp_path, write_task, load):
    path = write_task(training_split=None, hold_out={"train_share": 0.4, "seed": 1}, cluster_column="passage")

    def reader(name, _split):
        rows = [{"id": f"{n}", "passage": f"p{n // 3}", "question": name, "choices": ["a", "b"], "answer": 0}
                for n in range(30)]  # fmt: skip
        return rows if name.endswith("de") else rows[::-1]

    german, french = load(path, "de", reader=reader), load(path, "fr", reader=reader)
    trained = {text.item_id for text in german.train}
    assert trained == {text.item_id for text in french.train}
    assert len(trained) == 12
    assert not trained & {item.id for item in german.test}
    assert {int(one) // 3 for one in trained}.isdisjoint(int(item.cluster[1:]) for item in german.test)


def test_a_text_of_lm_eval_is_read_without_running_its_code(monkeypatch):
    pytest.importorskip("lm_eval")
    reference = {"preamble": "okapi/truthfulqa_multilingual/utils.py:QA_PROMPT"}
    preamble = lm_eval_texts(reference, where="x")["preamble"]
    assert (preamble.count("Q: "), preamble.count("\nA: "), preamble[-1]) == (6, 6, ".")


def test_without_lm_eval_the_extra_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(InputError, match=r"not installed: pip install donorgrid\[lm-eval\]"):
        lm_eval_texts({"preamble": "okapi/none_yet.py:X"}, where="task file t.yaml")


@pytest.fixture
def registry(tmp_path: Path):
    lm_tasks = pytest.importorskip("lm_eval.tasks")
    data = tmp_path / "rows.jsonl"
    data.write_text('{"q": "Q1", "c": ["x", "y"], "a": 1}\n{"q": "Q2", "c": ["x", "y"], "a": 5}\n')
    folder = tmp_path / "lm"
    folder.mkdir()
    for name in ("quiz_de", "quiz_fr_one", "quiz_fr_two"):
        (folder / f"{name}.yaml").write_text(LM_EVAL_FILE.format(name=name, data=data, cache=tmp_path / "cache"))
    (folder / "_quiz_fr.yaml").write_text("group: quiz_fr\ntask: [quiz_fr_one, quiz_fr_two]\n")
    return lm_tasks.TaskManager(include_path=str(folder), include_defaults=False)


@pytest.mark.filterwarnings("ignore")
def test_a_task_of_lm_eval_by_name(registry):
    task = lm_eval_task("quiz_{language}", languages=["de", "fr"], registry=registry)
    assert (task.name, task.languages, task.metrics, task.has_training_split) == ("quiz", ("de", "fr"), ("acc",), True)
    german = load_lm_eval_cell(task, "de", num_fewshot=None, registry=registry)
    (item,) = german.test
    assert (item.id, item.context, item.choices, item.answer, item.messages) == ("0", "Q1", ("x", "y"), 1, ())
    assert german.counts["test"].invalid == (("1", "doc_to_target: 5 is not in 0..1"),)
    assert [(text.prompt, text.target) for text in german.train] == [("Q1", " y")]
    french = load_lm_eval_cell(task, "fr", num_fewshot=None, registry=registry)
    assert [item.id for item in french.test] == ["quiz_fr_one/0", "quiz_fr_two/0"]


def test_a_task_that_lm_eval_has_not(registry):
    with pytest.raises(
        InputError, match=r"'lm_eval:quiz_dee': the installed lm-eval has no such task; did you mean 'q"
    ):
        lm_eval_task("quiz_dee", languages=["de"], registry=registry)
    with pytest.raises(InputError, match="say its one language"):
        lm_eval_task("quiz_de", languages=[], registry=registry)


def test_load_cell_of_the_catalog_reads_the_hub_with_the_languages_configuration(tmp_path, monkeypatch):
    import datasets

    asked = []

    def load_dataset(path, name, *, split, revision, data_files):
        asked.append((path, name, split))
        return [{"index_id": 3, "category": "travel", "text": " Ein Satz. "}]

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    cell = load_cell(find_task("sib200", folder=tmp_path), "de", sources={})
    assert asked == [("Davlan/sib200", "deu_Latn", "test"), ("Davlan/sib200", "deu_Latn", "train")]
    assert (cell.test[0].id, cell.test[0].context, cell.test[0].answer) == ("3", "Text: Ein Satz.\nTopic:", 1)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("Dataset 'x/y' doesn't exist on the Hub", "no such data set on the hub"),
        ("Dataset 'x/y' is a gated dataset on the Hub.", "it is gated: accept its terms on the hub and set HF_TOKEN"),
        (ConnectionError("Couldn't reach\nthe hub"), "cannot be read: Couldn't reach"),
        (ValueError("BuilderConfig 'de' not found. Available: ['fr']"), "Available: .'fr'."),
    ],
)
def test_a_hub_data_set_out_of_reach_is_one_line(tmp_path, monkeypatch, error, expected):
    import datasets

    raised = datasets.exceptions.DatasetNotFoundError(error) if isinstance(error, str) else error

    def load_dataset(*_, **__):
        raise raised

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    with pytest.raises(InputError, match=expected) as caught:
        load_cell(find_task("xcopa", folder=tmp_path), "it", sources={})
    assert "\n" not in str(caught.value)
    assert "cambridgeltl/xcopa" in str(caught.value)
