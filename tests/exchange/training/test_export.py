"""A fine-tuning written for other trainers says there what it says here; checked with them where they are installed."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from transformers import AutoTokenizer

from donorgrid.core.errors import InputError
from donorgrid.core.records import Recipe, TextEncoding, TrainingText
from donorgrid.exchange import TrainingJob, export_training
from donorgrid.train.encode import encode_texts
from donorgrid.train.written_texts import written_out
from worlds import give_chat_template, make_checkpoint

TEXTS = tuple(
    TrainingText(item_id=f"q{n}", prompt=f"Frage {n}?\nAntwort:", target=f" {n}", max_tokens=64, keep="start")
    for n in range(20)
)


def job(recipe: Recipe | None = None, **changes: Any) -> TrainingJob:
    fields = {"model_id": "org/model", "revision": "abc", "source_name": "quiz/de", "train_seed": 17,
              "recipe": recipe or Recipe(name="paper"), "train": TEXTS[:18], "validation": TEXTS[18:]}  # fmt: skip
    return TrainingJob(**{**fields, **changes})


def config_of(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text())


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_trl_says_the_recipe(tmp_path):
    config = config_of(export_training(job(), tmp_path / "trl", trainer="trl"))
    assert (config["lora_r"], config["lora_alpha"], config["lora_dropout"]) == (32, 64, 0.0)
    assert config["lora_target_modules"] == [f"{one}_proj" for one in ("q", "k", "v", "o", "gate", "up", "down")]
    assert (config["learning_rate"], config["num_train_epochs"], config["per_device_train_batch_size"]) == (5e-5, 3, 8)
    assert config["warmup_steps"] == 1  # 10% of ceil(18 / 8) * 3 = 9 steps, rounded up
    assert (config["lr_scheduler_type"], config["max_grad_norm"], config["seed"]) == ("linear", 1.0, 17)
    assert (config["bf16"], config["max_length"], config["model_revision"]) == (True, 64, "abc")
    rows = rows_of(tmp_path / "trl" / "data" / "train.jsonl")
    assert rows[3] == {"prompt": "Frage 3?\nAntwort:", "completion": " 3"}
    assert len(rows_of(tmp_path / "trl" / "data" / "validation.jsonl")) == 2


def test_the_data_folder_is_a_data_set_with_two_splits(tmp_path):
    import datasets

    export_training(job(), tmp_path / "trl", trainer="trl")
    splits = datasets.load_dataset(str(tmp_path / "trl" / "data"), cache_dir=str(tmp_path / "cache"))
    assert {name: len(split) for name, split in splits.items()} == {"train": 18, "validation": 2}


def test_shared_keys_are_those_of_transformers(tmp_path):
    from transformers import TrainingArguments

    known = {field.name for field in dataclasses.fields(TrainingArguments)}
    from donorgrid.exchange.training.trainers import _hugging_face

    assert _hugging_face(job()).keys() <= known


def test_every_trainer_trains_on_the_target_alone(tmp_path):
    axolotl = export_training(job(), tmp_path / "axolotl", trainer="axolotl").parent
    assert rows_of(axolotl / "data" / "train.jsonl")[0] == {
        "segments": [{"label": False, "text": "Frage 0?\nAntwort:"}, {"label": True, "text": " 0"}]
    }
    factory = export_training(job(), tmp_path / "factory", trainer="llama-factory").parent
    info = json.loads((factory / "data" / "dataset_info.json").read_text())
    assert info["train_rows"] == {"file_name": "train.jsonl", "columns": {"prompt": "prompt", "response": "completion"}}


def test_where_the_loss_is_on_all_nothing_is_only_read(tmp_path):
    whole = {"train": (dataclasses.replace(TEXTS[0], loss_on="all", tokenise="whole"),), "validation": ()}
    axolotl = export_training(job(**whole), tmp_path / "axolotl", trainer="axolotl").parent
    text = "Frage 0?\nAntwort: 0"
    assert rows_of(axolotl / "data" / "train.jsonl") == [{"segments": [{"label": True, "text": text}]}]
    trl = export_training(job(**whole), tmp_path / "trl", trainer="trl").parent
    assert rows_of(trl / "data" / "train.jsonl") == [{"prompt": "", "completion": text}]


def test_trl_gets_messages_where_texts_are_read_under_a_chat_template(tmp_path):
    opened = dataclasses.replace(
        TEXTS[1], messages=(("system", "S"), ("user", "U"), ("assistant", "So:")), chat_delimiter=" "
    )
    chat = TextEncoding(template_args={"enable_thinking": False})
    trl = export_training(job(train=(TEXTS[0], opened), encoding=chat), tmp_path / "trl", trainer="trl").parent
    plain, with_messages = rows_of(trl / "data" / "train.jsonl")
    assert plain == {
        "prompt": [{"role": "user", "content": "Frage 0?\nAntwort:"}],
        "completion": [{"role": "assistant", "content": "0"}],
        "chat_template_kwargs": {"enable_thinking": False},
    }
    assert [message["role"] for message in with_messages["prompt"]] == ["system", "user"]
    assert with_messages["completion"] == [{"role": "assistant", "content": "So: 1"}]
    mixed = (TEXTS[0], dataclasses.replace(TEXTS[1], tokenise="apart"))
    with pytest.raises(InputError, match="some texts are read under the chat template and others are not"):
        export_training(job(train=mixed, encoding=chat), tmp_path / "mixed", trainer="trl")


@pytest.mark.parametrize("chat", [False, True], ids=["plain", "chat template"])
@pytest.mark.parametrize("kind", ["llama", "qwen2"])
def test_trainers_that_add_no_special_token_get_them_in_the_texts(tmp_path, kind, chat):
    tokenizer = AutoTokenizer.from_pretrained(give_chat_template(make_checkpoint(kind, tmp_path / kind)))
    for tokenise in ("joint", "apart"):
        encoding = TextEncoding(tokenise=tokenise, append_eos=True, template_args={} if chat else None)
        ours = job(encoding=encoding, written=lambda text, how=encoding: written_out(text, tokenizer, how))
        name = f"{tokenise}-axolotl"
        folder = export_training(ours, tmp_path / name, trainer="axolotl").parent
        for text, row in zip(ours.train, rows_of(folder / "data" / "train.jsonl"), strict=True):
            read, learned = (tokenizer.encode(segment["text"], add_special_tokens=False) for segment in row["segments"])
            (encoded,) = encode_texts([text], tokenizer, encoding)
            assert (*read, *learned) == encoded.token_ids
            assert len(learned) == encoded.n_supervised
        factory = export_training(ours, tmp_path / f"{tokenise}-factory", trainer="llama-factory").parent
        rows = rows_of(factory / "data" / "train.jsonl")
        assert [[row["prompt"], row["completion"]] for row in rows] == [
            [segment["text"] for segment in row["segments"]] for row in rows_of(folder / "data" / "train.jsonl")
        ]


def test_the_readme_names_what_differs(tmp_path):
    def readme(trainer: str, **encoding: Any) -> str:
        folder = tmp_path / f"{trainer}{len(list(tmp_path.iterdir()))}"
        path = export_training(job(encoding=TextEncoding(**encoding)), folder, trainer=trainer)
        return (path.parent / "README.md").read_text()

    assert "donorgrid adds no token" in readme("trl")
    assert "donorgrid adds no token" not in readme("trl", append_eos=True)
    assert "donorgrid reads these texts without" in readme("trl", tokenise="apart")
    assert "applies the tokenizer's chat template" in readme("trl", template_args={})
    assert "written out" in readme("axolotl")
    assert "written out" not in readme("axolotl", tokenise="apart")


@pytest.mark.parametrize("method", ["rslora", "dora", "full"])
def test_methods_beyond_lora(tmp_path, method):
    recipe = Recipe(name="r", method=method, target_modules="all-linear")
    trl = config_of(export_training(job(recipe), tmp_path / "trl", trainer="trl"))
    factory = config_of(export_training(job(recipe), tmp_path / "factory", trainer="llama-factory"))
    axolotl = config_of(export_training(job(recipe), tmp_path / "axolotl", trainer="axolotl"))
    if method == "full":
        assert (trl["use_peft"], factory["finetuning_type"], "adapter" in axolotl) == (False, "full", False)
        assert (trl["dtype"], trl["bf16"]) == ("float32", True)
        assert "adapter" not in (tmp_path / "trl" / "README.md").read_text()
    else:
        assert [trl[f"use_{method}"], factory[f"use_{method}"], axolotl[f"peft_use_{method}"]] == [True] * 3
        assert (trl["lora_target_modules"], factory["lora_target"]) == ("all-linear", "all")
        assert axolotl["lora_target_linear"] is True


def test_texts_that_keep_their_end_are_not_cut_at_their_end(tmp_path):
    ends = tuple(dataclasses.replace(text, keep="end") for text in TEXTS)
    path = export_training(job(train=ends), tmp_path / "trl", trainer="trl")
    assert config_of(path)["max_length"] is None
    assert "keeps the end of a text" in (path.parent / "README.md").read_text()


def test_without_validation_texts_nothing_is_chosen_by_them(tmp_path):
    path = export_training(job(validation=()), tmp_path / "trl", trainer="trl")
    assert not {"eval_strategy", "load_best_model_at_end", "dataset_test_split"} & config_of(path).keys()
    assert not (path.parent / "data" / "validation.jsonl").exists()


def test_what_cannot_be_exported_is_said(tmp_path):
    with pytest.raises(InputError, match=r"trainer 'axolot'; did you mean 'axolotl'\?; allowed: trl, llama-fac"):
        export_training(job(), tmp_path / "x", trainer="axolot")
    with pytest.raises(InputError, match="source 'quiz/de': there are no training texts"):
        export_training(job(train=()), tmp_path / "x", trainer="trl")
    assert not (tmp_path / "x").exists()
    (tmp_path / "mine").write_text("x")
    with pytest.raises(InputError, match="is there already; give a new folder"):
        export_training(job(), tmp_path, trainer="trl")
    assert (tmp_path / "mine").read_text() == "x"


RECIPES = [
    Recipe(name="paper", precision="fp32"),
    Recipe(name="d", method="dora", target_modules="all-linear", precision="fp32"),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("recipe", RECIPES, ids=lambda one: one.name)
def test_trl_reads_it(tmp_path, recipe):
    trl = pytest.importorskip("trl")
    path = export_training(job(recipe), tmp_path / "trl", trainer="trl")
    parser = trl.TrlParser((trl.ScriptArguments, trl.SFTConfig, trl.ModelConfig))
    script, training, model = parser.parse_args_and_config(["--config", str(path)], fail_with_unknown_args=True)
    assert (training.warmup_steps, training.max_length, training.completion_only_loss) == (1, 64, True)
    assert (model.lora_r, model.use_dora, script.dataset_test_split) == (32, recipe.method == "dora", "validation")


@pytest.mark.filterwarnings("ignore")
def test_axolotl_reads_it(tmp_path):
    schemas = pytest.importorskip("axolotl.utils.schemas.config")
    config = config_of(export_training(job(RECIPES[0]), tmp_path / "a", trainer="axolotl"))
    assert set(config) <= set(schemas.AxolotlInputConfig.model_fields)
    read = schemas.AxolotlInputConfig(**config)
    assert (read.lora_r, read.micro_batch_size, read.warmup_steps) == (32, 8, 1)


@pytest.mark.filterwarnings("ignore")
def test_llama_factory_reads_it(tmp_path, monkeypatch):
    monkeypatch.setenv("DISABLE_VERSION_CHECK", "1")
    hparams = pytest.importorskip("llamafactory.hparams")
    config = config_of(export_training(job(RECIPES[0]), tmp_path / "f", trainer="llama-factory"))
    config["output_dir"] = str(tmp_path / "out")
    _, data, training, finetuning, _ = hparams.get_train_args(config)
    assert (data.template, data.cutoff_len, data.dataset) == ("empty", 64, ["train_rows"])
    assert (finetuning.lora_rank, training.warmup_steps) == (32, 1)
