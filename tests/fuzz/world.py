"""The sound inputs that the fuzz damages: a model, a finished study, an adapter, outputs of lm-eval, an import."""

import json
import shutil
from pathlib import Path

import yaml
from lm_eval_outputs import write_runs

from donorgrid.exchange import import_lm_eval, write_import
from running import run_here, table_bytes
from worlds import make_study

QUESTIONS = [
    {"id": f"q{number}", "question": f"which colour is {number}?", "choices": ["red", "green", "blue"],
     "answer": number % 3, "language": language, "split": "train" if number % 2 else "test"}
    for language in ("de", "en")
    for number in range(6)
]  # fmt: skip
PROMPTS = [
    {"id": "a", "prompt": "which colour?", "language": "en"},
    {"id": "b", "prompt": "zwei?", "format": "json", "schema": {"type": "object",
    "properties": {"x": {"type": "number"}}}},
]  # fmt: skip
TABLE = [
    {"model": "m", "source_task": "quiz", "source_language": source, "target_task": task, "target_language": target,
     "train_seed": seed, "score": 0.5, "score_base": round(0.4 + index / 100, 3), "n_items": 100, "size_b": 0.5}
    for seed in (1, 2)
    for source in ("de", "it")
    for index, (task, target) in enumerate((task, target) for task in ("quiz", "nli") for target in ("de", "it"))
]  # fmt: skip


def make_world(root: Path) -> Path:
    """Makes the folder with every sound input; returns it."""
    root.mkdir()
    file = make_study(root, languages=["de", "en"], limits={"train_items": 12, "test_items": 8}, checkpoints=[1])
    run_here(file, root / "tiny")
    table_bytes(root / "tiny")
    adapter = next((root / "tiny" / "adapters").rglob("adapter_config.json")).parent
    shutil.copytree(adapter, root / "adapter")
    shutil.copytree(root / "llama", root / "model")
    mapping = write_runs(root / "outputs", languages=("de", "it"))
    write_import(import_lm_eval([root / "outputs"], mapping_file=mapping), root / "imported")
    (root / "questions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in QUESTIONS))
    header = ",".join(TABLE[0])
    (root / "t.csv").write_text("\n".join([header, *(",".join(map(str, row.values())) for row in TABLE)]) + "\n")
    return root


def files_of(world: Path, *names: str) -> dict[str, bytes]:
    """The files below entries of the world, by their path in it, in the order of their names."""
    roots = [world / name for name in names]
    paths = sorted(path for root in roots for path in ([root] if root.is_file() else root.rglob("*")) if path.is_file())
    return {str(path.relative_to(world)): path.read_bytes() for path in paths}


def yaml_of(world: Path, name: str) -> dict[str, object]:
    """The content of a YAML file of the world."""
    content: dict[str, object] = yaml.safe_load((world / name).read_text())
    return content
