"""An exported adapter opens with PEFT, names its base model, and its card says what it gives and takes."""

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch
from huggingface_hub import ModelCard

from donorgrid.core.errors import InputError
from donorgrid.core.records import Cell, Recipe, Source
from donorgrid.core.regimes import regime
from donorgrid.exchange import AdapterCard, export_adapter, export_table
from donorgrid.exchange.adapters.card_text import card_text

pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")

HERE = Cell(task="quiz", language="de")
TARGETS = [("quiz", "de", 12.5), ("quiz", "it", 3.0), ("sums", "de", -1.0), ("sums", "it", -4.25)]


def profile() -> pl.DataFrame:
    return pl.DataFrame(
        [
            {"target_task": task, "target_language": language, "regime": regime("quiz", "de", task, language),
             "n_items": 400, "score_norm_base": 0.5, "score_norm": 0.5 + delta / 100, "delta_pp": delta, "se_pp": 1.25}
            for task, language, delta in TARGETS
        ]
    )  # fmt: skip


def card(**changes: Any) -> AdapterCard:
    fields = {"base_model": "org/Model-1B", "revision": "abc123", "source": Source.of_cell(HERE), "train_seed": 17,
              "recipe": Recipe(name="paper"), "metric": "acc_norm", "harm_limit_pp": 1.0, "profile": profile(),
              "licences": {"quiz": "CC-BY-NC-4.0"}, "datasets": ("org/quiz",)}  # fmt: skip
    return AdapterCard(**{**fields, **changes})


@pytest.fixture
def trained(world: Path, tmp_path: Path) -> Path:
    """A PEFT adapter on the tiny Llama, with a path of the machine in it, as a run leaves it."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(world / "llama")
    model = get_peft_model(base, LoraConfig(r=4, target_modules=["q_proj"], init_lora_weights=False))
    model.save_pretrained(tmp_path / "trained")
    (tmp_path / "trained" / "train_log.jsonl").write_text("{}\n")
    return tmp_path / "trained"


def test_it_opens_with_peft_and_answers_the_same(world: Path, trained: Path, tmp_path: Path) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    folder = export_adapter(trained, card(), tmp_path / "out")
    logits = []
    for path in (trained, folder):
        base = AutoModelForCausalLM.from_pretrained(world / "llama")
        model = PeftModel.from_pretrained(base, path).eval()
        with torch.no_grad():
            logits.append(model(torch.arange(3, 9)[None]).logits)
    assert torch.equal(*logits)
    config = json.loads((folder / "adapter_config.json").read_text())
    assert (config["base_model_name_or_path"], config["revision"]) == ("org/Model-1B", "abc123")
    assert str(world) not in "".join(path.read_text() for path in folder.glob("*.json*"))
    assert (folder / "train_log.jsonl").is_file()


def test_the_card_is_one_that_the_hub_reads(trained: Path, tmp_path: Path) -> None:
    read = ModelCard.load(export_adapter(trained, card(), tmp_path / "out") / "README.md")
    assert (read.data.base_model, read.data.library_name, read.data.language) == ("org/Model-1B", "peft", ["de"])
    assert read.data.datasets == ["org/quiz"]
    assert {one.dataset_name: one.metric_value for one in read.data.eval_results}["quiz/it"] == 0.53


def test_the_card_tells_what_it_gives_and_takes(trained: Path, tmp_path: Path) -> None:
    text = (export_adapter(trained, card(), tmp_path / "out") / "README.md").read_text()
    assert "- the trained cell itself: +12.50 on average over 1, 0 lost 1 or more" in text
    assert "- other tasks in the same language: -1.00 on average over 1, 1 lost 1 or more" in text
    assert "- other tasks in other languages: -4.25 on average over 1, 1 lost 1 or more" in text
    assert "| quiz | it | 50.0% | 53.0% | +3.00 | 1.25 | 400 |" in text
    assert "- quiz: CC-BY-NC-4.0" in text
    assert "seed 17" in text


def test_a_base_model_in_a_folder_is_named_and_its_path_is_not_told(trained: Path, tmp_path: Path) -> None:
    for given in ("/home/me/models/tiny", "../models/tiny"):
        folder = export_adapter(trained, card(base_model=given, revision=None), tmp_path / "out")
        assert "models" not in (folder / "README.md").read_text().replace("AutoModelForCausalLM", "")
        assert json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"] == "tiny"
        assert ModelCard.load(folder / "README.md").data.base_model is None
        shutil.rmtree(folder)


def test_a_base_model_that_is_on_no_hub_is_said_to_be_so() -> None:
    once = Recipe(name="r", rank=4, epochs=1)
    built_in = card_text(card(base_model="pocket", built_in=True, recipe=once))
    assert "`donorgrid pocket write --out pocket` writes it into the folder that the lines below load" in built_in
    assert "1 epoch, learning rate" in built_in
    assert "from_pretrained('pocket')" in built_in
    folder = card_text(card(base_model="/home/me/tiny"))
    assert "The base model is in a folder called `tiny`, not on a hub" in folder
    assert "on a hub" not in card_text(card())


def test_a_checkpoint_is_called_what_it_is() -> None:
    assert "as it was after 0.5 epochs of 3 epochs, learning rate" in card_text(card(checkpoint=0.5))


def test_names_are_text_and_not_markdown(trained: Path, tmp_path: Path) -> None:
    changed = profile().with_columns(target_task=pl.lit("a|b <script>\n# x"))
    text = (export_adapter(trained, card(profile=changed), tmp_path / "out") / "README.md").read_text()
    body = text.split("---\n", 2)[2]
    assert "<script>" not in body.replace(r"\<script\>", "")
    assert r"| a\|b \<script\> \# x | de |" in body


def test_a_mix_names_its_cells_and_has_no_regimes(trained: Path, tmp_path: Path) -> None:
    mix = Source(kind="mix", name="both", parts=((HERE, 0.25), (Cell(task="quiz", language="it"), 0.75)))
    rows = profile().with_columns(regime=pl.lit(None, dtype=pl.String))
    text = (export_adapter(trained, card(source=mix, profile=rows), tmp_path / "out") / "README.md").read_text()
    assert "trained on quiz/de (25%), quiz/it (75%)" in text
    assert "- all targets: +2.56 on average over 4, 2 lost 1 or more" in text


def test_what_is_no_adapter_is_refused(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"holds no adapter_model.safetensors; was the adapter kept"):
        export_adapter(tmp_path / "empty", card(), tmp_path / "out")
    with pytest.raises(InputError, match="is there already"):
        export_adapter(trained, card(), trained)
    (trained / "adapter_config.json").write_text("{}")
    with pytest.raises(InputError, match="is no configuration of PEFT"):
        export_adapter(trained, card(), tmp_path / "out")
    (trained / "adapter_config.json").write_text("{")
    with pytest.raises(InputError, match="cannot be read as PEFT's configuration"):
        export_adapter(trained, card(), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.fixture
def whole(world: Path, tmp_path: Path) -> Path:
    """A checkpoint as a full fine-tuning leaves it."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    AutoModelForCausalLM.from_pretrained(world / "llama").save_pretrained(tmp_path / "whole")
    AutoTokenizer.from_pretrained(world / "llama").save_pretrained(tmp_path / "whole")
    for name in ("train_log.jsonl", "donorgrid.json"):
        (tmp_path / "whole" / name).write_text("{}\n")
    return tmp_path / "whole"


def test_a_full_fine_tuning_is_a_whole_checkpoint_and_its_card_says_so(
    world: Path, whole: Path, tmp_path: Path
) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = export_adapter(whole, card(recipe=Recipe(name="all", method="full")), tmp_path / "out")
    logits = []
    for path in (world / "llama", folder):
        with torch.no_grad():
            logits.append(AutoModelForCausalLM.from_pretrained(path).eval()(torch.arange(3, 9)[None]).logits)
    assert torch.equal(*logits)
    assert AutoTokenizer.from_pretrained(folder).encode("rot") == AutoTokenizer.from_pretrained(whole).encode("rot")
    assert json.loads((folder / "config.json").read_text())["_name_or_path"] == "org/Model-1B"
    assert str(world) not in "".join(path.read_text() for path in folder.glob("*.json*"))
    assert not (folder / "donorgrid.json").exists()
    read = ModelCard.load(folder / "README.md")
    assert (read.data.base_model, read.data.library_name) == ("org/Model-1B", "transformers")
    assert "A whole checkpoint: all weights of `org/Model-1B`" in read.text
    assert not any(word in read.text for word in ("PeftModel", "rank", "alpha"))


def test_a_checkpoint_without_weights_is_refused(whole: Path, tmp_path: Path) -> None:
    (whole / "model.safetensors").unlink()
    with pytest.raises(InputError, match=r"holds no \*.safetensors; was the checkpoint kept"):
        export_adapter(whole, card(recipe=Recipe(name="all", method="full")), tmp_path / "out")


def test_tables_are_written_as_their_name_ends(tmp_path: Path) -> None:
    for name, read in (("deltas.csv", pl.read_csv), ("deltas.parquet", pl.read_parquet)):
        assert read(export_table(profile(), tmp_path / name)).equals(profile())
    with pytest.raises(InputError, match=r"a table is written as \.csv or \.parquet"):
        export_table(profile(), tmp_path / "deltas.xlsx")
