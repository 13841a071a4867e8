"""A study whose source trains on a target's items, from the task file to the page."""

import json
from pathlib import Path

from example_tables import Page

from donorgrid.core.names import StudyFolder
from donorgrid.pipeline.analyse.reporting import write_report
from donorgrid.pipeline.analyse.tables import analyse_folder
from donorgrid.pipeline.prepare.study_files import read_workplan
from donorgrid.store.logs import read_manifests
from running import QUICK, run_here
from worlds import RECIPE, make_documents, make_study

N_LEAKED = 5


def test_pairs_that_share_texts_are_named_from_the_plan_to_the_page(tmp_path: Path) -> None:
    file = make_study(tmp_path, recipes={"tiny": {**RECIPE, "epochs": 1}})
    leaked = make_documents("colours", "en", count=12, seed=1)[:N_LEAKED]  # seed 1 makes the test split
    with (tmp_path / "colours-en-train.jsonl").open("a") as train:
        train.writelines(json.dumps(document) + "\n" for document in leaked)
    folder = StudyFolder(tmp_path / "out")
    run_here(file, folder.root)

    kept = json.loads(folder.plan.read_text())["shared_items"]
    pairs = [("colours/en", f"colours/{language}") for language in ("de", "en", "it")]
    assert [(pair["source"], pair["target"]) for pair in kept] == [
        tuple({"task": "colours", "language": name[-2:]} for name in pair) for pair in pairs
    ]
    assert {(pair["n_shared"], pair["n_items"]) for pair in kept} == {(N_LEAKED, 12)}
    assert [str(pair.target) for pair in read_workplan(folder).shared_items] == [target for _, target in pairs]
    assert [note for note in read_manifests(folder)[0]["notes"] if note.startswith("training texts of 'colours'")]

    analysed = analyse_folder(folder, QUICK)
    assert analysed.tables["shared_texts"].height == 3
    page = Page.read(write_report(analysed, folder).read_text())
    assert "Training texts of colours/en occur among the test items of some targets" in page.text
    assert "(3 pairs of source and target) may be memory" in page.text
    (shown,) = [rows for name, rows in page.tables.items() if name.startswith("Sources that train on items")]
    assert [row[:6] for row in shown[1:]] == [
        ["colours/en", target, regime, str(N_LEAKED), "12", how]
        for (_, target), regime, how in zip(
            pairs,
            ("MT-CL", "MT-ML", "MT-CL"),
            ("the same items, in another language", "the same text", "the same items, in another language"),
            strict=True,
        )
    ]
    assert "Without those pairs, over 4 transfer cells, the mean delta is" in page.text
