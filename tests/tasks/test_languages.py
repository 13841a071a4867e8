"""One language has many spellings: in task files, in the names and rows of data files, in a study."""

import json
from types import SimpleNamespace

import pytest

from donorgrid.core.errors import InputError
from donorgrid.pipeline.prepare.study_grid import read_grid
from donorgrid.tasks import find_task, load_cell
from donorgrid.tasks.lm_eval.named_tasks import lm_eval_task
from worlds import make_study


def write_jsonl(path, languages):
    rows = [
        {
            "id": str(number),
            "language": language,
            "question": f"{language} {number}?",
            "choices": ["a", "b"],
            "answer": 1,
        }
        for language in languages
        for number in range(3)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_rows_spell_languages_as_they_like(tmp_path):
    write_jsonl(tmp_path / "quiz.jsonl", ["deu_Latn", "zho_Hant", "zho_Hans", "l1"])
    task = find_task("quiz.jsonl", folder=tmp_path)
    assert task.languages == ("de", "l1", "zh", "zh-Hant")
    for spelling in ("de", "deu_Latn", "German"):
        cell = load_cell(find_task("quiz.jsonl", folder=tmp_path, languages=[spelling]), spelling, sources={})
        assert str(cell.cell) == "quiz/de"
        assert [item.context.split()[1] for item in cell.test] == ["deu_Latn"] * 3


def test_names_of_files_spell_languages_as_they_like(tmp_path):
    for name in ("q_deu_Latn.jsonl", "q_fr.jsonl"):
        write_jsonl(tmp_path / name, ["x"])
    (tmp_path / "q_fr.jsonl").write_text((tmp_path / "q_fr.jsonl").read_text().replace('"language": "x", ', ""))
    (tmp_path / "q_deu_Latn.jsonl").write_text((tmp_path / "q_fr.jsonl").read_text())
    assert find_task("q_{language}.jsonl", folder=tmp_path).languages == ("de", "fr")
    task = find_task("q_{language}.jsonl", folder=tmp_path, languages=["de", "fra"])
    assert [task.cell(code).where for code in task.languages] == ["task file q_deu_Latn.jsonl", "task file q_fr.jsonl"]
    (tmp_path / "q_de.jsonl").write_text((tmp_path / "q_fr.jsonl").read_text())
    assert find_task("q_{language}.jsonl", folder=tmp_path, languages=["de"]).cell("de").where == "task file q_de.jsonl"
    with pytest.raises(InputError, match="'de' and 'deu_Latn' are the same language, 'de'; keep one"):
        find_task("q_{language}.jsonl", folder=tmp_path)


def test_a_task_file_spells_languages_as_its_data_do(tmp_path, write_task):
    write_task(languages=["deu_Latn", "fra_Latn"], words={"deu_Latn": {"a": "x"}, "fr": {"a": "y"}})
    task = find_task("colours.yaml", folder=tmp_path)
    assert task.languages == ("de", "fr")
    assert task.cell("deu").keys.dataset_name == "world/deu_Latn"
    assert task.cell("fr").variables == {"words": {"a": "y"}}
    write_task(languages=["de"], language_names={"deu": "GERMAN"})
    assert find_task("colours.yaml", folder=tmp_path).cell("de").keys.dataset_name == "world/GERMAN"
    write_task(languages=["de", "deu"])
    with pytest.raises(InputError, match="'de' and 'deu' are the same language"):
        find_task("colours.yaml", folder=tmp_path)
    write_task(languages=None)
    task = find_task("colours.yaml", folder=tmp_path, languages=["deu_Latn"])
    assert (task.languages, task.cell("de").keys.dataset_name) == (("de",), "world/deu_Latn")


def test_one_task_file_per_language_is_found_by_its_language(tmp_path, write_task):
    write_task("my_deu_Latn.yaml", languages=None, task="my", dataset_name="world/x")
    assert find_task("my_{language}.yaml", folder=tmp_path, languages=["de"]).languages == ("de",)
    assert find_task("my_{language}.yaml", folder=tmp_path).languages == ("de",)


def test_a_task_of_lm_eval_is_found_by_its_language():
    entry = SimpleNamespace(cfg={"output_type": "multiple_choice"})
    registry = SimpleNamespace(task_index=dict.fromkeys(("belebele_deu_Latn", "belebele_zho_Hant"), entry))
    task = lm_eval_task("belebele_{language}", languages=["de", "zh-TW"], registry=registry)
    assert task.lm_eval_names == {"de": "belebele_deu_Latn", "zh-Hant": "belebele_zho_Hant"}
    assert lm_eval_task("belebele_{language}", languages=[], registry=registry).languages == ("de", "zh-Hant")


def test_a_study_spells_languages_as_it_likes(tmp_path):
    plain = read_grid(make_study(tmp_path))[2]
    spelled = make_study(
        tmp_path,
        languages=["deu_Latn", "English", "it-IT"],
        sources=[
            "colours/de_DE",
            {"control": "shuffled", "of": "colours/eng"},
            {"mix": {"colours/deu": 1, "colours/en": 1}, "name": "m"},
        ],
        targets=["colours/deu"],
        keep_adapters=["colours/German"],
    )
    grid = read_grid(spelled)[2]
    assert plain.cells[:3] == tuple(
        read_grid(make_study(tmp_path, languages=["deu_Latn", "English", "it-IT"]))[2].cells
    )
    assert [str(cell) for cell in grid.targets] == ["colours/de"]
    assert [source.name for source in dict.fromkeys(run.source for run in grid.runs)] == [
        "colours/de",
        "shuffled:colours/en",
        "m",
    ]
    with pytest.raises(InputError, match="languages: 'de' and 'deu_Latn' are the same language, 'de'; keep one"):
        read_grid(make_study(tmp_path, languages=["de", "deu_Latn"]))
