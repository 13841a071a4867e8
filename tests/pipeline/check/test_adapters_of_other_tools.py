"""Adapters of other tools in a check: each answers as in lm-eval; one that does not fit stops it before the base."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from donorgrid.core.errors import InputError
from donorgrid.pipeline.check.request import Checked, CheckRequest, TargetSpec
from donorgrid.pipeline.check.run_check import run_check
from lm_eval_side import lm_eval_answers
from peft_kinds import MERGED, RESIZED, make_kind, reconfigure, rewrite
from worlds import give_chat_template, make_checkpoint, make_task

OF_EMBEDDINGS = ("embedding", "lora bias", "saved embedding", "resized")
# lm-eval cannot tie the weights of a base whose head is adapted: there PEFT is the measure (test_load.py).
KINDS = {
    "tied": (*OF_EMBEDDINGS, "dora", "ia3"),
    "untied": (*OF_EMBEDDINGS, "head", "some tokens", "patterns", "vera", "loha", "oft"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tied and an untied base, a plain adapter of the tied one, and a task."""
    root = tmp_path_factory.mktemp("others")
    make_checkpoint("llama", root / "untied")
    shutil.copytree(root / "untied", root / "tied")
    network = AutoModelForCausalLM.from_pretrained(root / "tied", tie_word_embeddings=True)
    network.tie_weights()
    network.save_pretrained(root / "tied")
    make_kind(root / "tied", "lora", root / "plain")
    make_task(root, test=12)
    return root


def check(folder: Path, base: str, *adapters: str, said: list[str] | None = None, **keys: Any) -> Checked:
    request = CheckRequest(
        base=base,
        adapters=adapters,
        guard=(TargetSpec.parse("colours.yaml:de"),),
        device="cpu",
        cache=folder / "cache",
        folder=folder,
        metric="acc",
        **keys,
    )
    return run_check(request, on_note=(said if said is not None else []).append)


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("base", ["tied", "untied"])
def test_check_and_lm_eval_agree_on_the_chosen_option_of_every_item(folder: Path, base: str) -> None:
    names = [make_kind(folder / base, kind, folder / f"{base} {kind}", strength=0.3).name for kind in KINDS[base]]
    checked = check(folder, base, *names)
    (target,) = checked.targets
    for kind, name, answers in zip(KINDS[base], names, target.adapters, strict=True):
        tokenizer = {"tokenizer": str(folder / name)} if kind in RESIZED else {}
        samples = lm_eval_answers(
            folder / base, folder / "colours-de-test.jsonl", model={"peft": str(folder / name), **tokenizer}
        )
        theirs = [[nats for (nats, _), *_ in sample["resps"]] for sample in samples]
        assert answers.chosen.tolist() == [max(range(len(row)), key=row.__getitem__) for row in theirs], kind
        way = "merged" if kind in MERGED else "unmerged"
        assert any(note.startswith(f"{name}: {way}") for note in checked.result.notes)


@pytest.mark.parametrize("broken", ["empty tensors", "another width", "another task", "another method"])
def test_an_adapter_that_does_not_fit_is_refused_before_anything_is_answered(folder: Path, broken: str) -> None:
    plain, adapter = folder / "plain", folder / broken
    if broken == "empty tensors":  # DeepSpeed ZeRO-3 without gathering
        rewrite(plain, adapter, lambda tensors: {name: tensor.flatten()[:0] for name, tensor in tensors.items()})
    elif broken == "another width":
        rewrite(plain, adapter, lambda tensors: {name: tensor[:, :3] for name, tensor in tensors.items()})
    else:
        changes = {"another task": {"task_type": "SEQ_CLS"}, "another method": {"peft_type": "MAGIC"}}
        reconfigure(plain, adapter, **changes[broken])
    said: list[str] = []
    message = {
        "empty tensors": r"8 of 8 tensors are empty, .* \[0\]; DeepSpeed ZeRO-3",
        "another width": r"q_proj\.lora_A\.weight is 4 x 3; expected 4 x 32",
        "another task": r"task_type is 'SEQ_CLS'; expected 'CAUSAL_LM'",
        "another method": "its peft_type is 'MAGIC'",
    }[broken]
    with pytest.raises(InputError, match=message):
        check(folder, "tied", "plain", broken, said=said, items=11)
    assert said == []


@pytest.mark.filterwarnings("default")
def test_a_chat_template_that_only_the_adapter_has_is_named_and_can_be_used(folder: Path) -> None:
    adapter = Path(shutil.copytree(folder / "plain", folder / "chatty"))
    AutoTokenizer.from_pretrained(folder / "tied").save_pretrained(adapter)
    give_chat_template(adapter)
    with pytest.raises(InputError, match=r"adapter 'chatty' has one: give --tokenizer chatty"):
        check(folder, "tied", "chatty", chat_template=True)
    (target,) = check(folder, "tied", "chatty", chat_template=True, tokenizer="chatty").targets
    model = {"peft": str(adapter), "tokenizer": str(adapter)}
    samples = lm_eval_answers(folder / "tied", folder / "colours-de-test.jsonl", chat=True, model=model)
    theirs = [[nats for (nats, _), *_ in sample["resps"]] for sample in samples]
    assert target.adapters[0].chosen.tolist() == [max(range(len(row)), key=row.__getitem__) for row in theirs]


def test_tokens_that_the_base_cannot_read_are_refused(folder: Path) -> None:
    make_kind(folder / "untied", "resized", folder / "larger")
    tokenizer = AutoTokenizer.from_pretrained(folder / "larger")
    tokenizer.chat_template = "{% for message in messages %}<new1>{{ message['content'] }}{% endfor %}"
    tokenizer.save_pretrained(folder / "larger")
    with pytest.raises(InputError, match=r"gives the token \d+ \('<new\d>'\), .* the base cannot read it"):
        check(folder, "untied", "larger", chat_template=True, tokenizer="larger")
    notes = check(folder, "untied", "larger").result.notes
    assert any("has 8 more tokens (<new0> ...) and is not used; --tokenizer larger" in note for note in notes)


def test_answers_under_another_tokenizer_are_computed_anew(folder: Path) -> None:
    first = check(folder, "tied", "plain", items=10)
    said: list[str] = []
    assert check(folder, "tied", "plain", items=10, said=said).targets[0].base.chosen.tolist() == (
        first.targets[0].base.chosen.tolist()
    )
    assert said == []
    give_chat_template(Path(shutil.copytree(folder / "untied", folder / "with template")))
    check(folder, "tied", "plain", items=10, said=said, tokenizer="with template")
    assert said[0] == "tied: 1 of 1 targets to answer"


def test_a_tokenizer_that_is_none_is_one_line(folder: Path) -> None:
    with pytest.raises(InputError, match=r"tokenizer 'plain': .* holds no tokenizer\.json"):
        check(folder, "tied", "plain", tokenizer="plain")
