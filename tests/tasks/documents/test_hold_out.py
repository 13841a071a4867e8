"""Documents held out for the test: whole clusters, by seed and name alone."""

from types import SimpleNamespace
from typing import Any

from donorgrid.tasks.documents.splits import splits_of

DOCUMENTS = [{"id": f"q{number}", "passage": f"p{number // 2}"} for number in range(40)]


def trained_ids(*, seed: int, cluster_column: str | None = None) -> set[str]:
    keys = SimpleNamespace(
        dataset_path="made",
        dataset_name=None,
        dataset_kwargs=None,
        evaluation_split="test",
        training_split=None,
        id_column="id",
        hold_out=SimpleNamespace(seed=seed, train_share=0.5),
        cluster_column=cluster_column,
    )
    cell: Any = SimpleNamespace(keys=keys, where="here")
    train, test = splits_of(cell, {"made": lambda *_: DOCUMENTS})
    assert sorted(name for name, _ in [*train, *test]) == sorted(document["id"] for document in DOCUMENTS)
    assert len(train) == 20
    return {name for name, _ in train}


def test_every_seed_holds_out_its_own_documents() -> None:
    assert trained_ids(seed=1) == trained_ids(seed=1) != trained_ids(seed=2)


def test_questions_on_one_passage_stay_together() -> None:
    train = trained_ids(seed=1, cluster_column="passage")
    assert all((f"q{number}" in train) == (f"q{number + 1}" in train) for number in range(0, 40, 2))
