"""Adapters of other tools in a check: each answers as in lm-eval; one that does not fit stops it before the base."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from donorgrid.core.errors import InputError
from donorgrid.pipeline.check.request import Checked, CheckRequest, TargetSpec
from donorgrid.pipeline.check.run_check import run_check
from lm_eval_side import LmEvalChoices, lm_eval_answers
from peft_kinds import COMMON, MERGED, is_resized, make_kind, reconfigure, rewrite
from worlds import give_chat_template, make_checkpoint, make_task

# With these on a tied base lm-eval stops: it ties the head again, and PEFT has put another module there.
LM_EVAL_CANNOT = {
    *("head", "embedding and head", "saved head", "some tokens", "tied on request"),
    *("resized, saved both", "resized, both by LoRA"),
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


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("base", ["tied", "untied"])
def test_check_and_lm_eval_agree_on_the_chosen_option_of_every_item(folder: Path, base: str) -> None:
    names = {kind: make_kind(folder / base, kind, folder / f"{base} {kind}", strength=0.3).name for kind in COMMON}
    checked = check(folder, base, *names.values())
    (target,) = checked.targets
    oracle = LmEvalChoices(folder / "colours-de-test.jsonl")
    n_changed = 0
    for (kind, name), answers in zip(names.items(), target.adapters, strict=True):
        adapter = folder / name
        tokenizer = str(adapter if is_resized(kind) else folder / base)
        if base == "tied" and kind in LM_EVAL_CANNOT:
            with pytest.raises((KeyError, AttributeError), match=r"already exists|is neither a parameter"):
                oracle.chosen(str(folder / base), tokenizer=tokenizer, peft=str(adapter))
            theirs = oracle.chosen(by_peft(folder / base, adapter, tokenizer), tokenizer=tokenizer)
        else:
            theirs = oracle.chosen(str(folder / base), tokenizer=tokenizer, peft=str(adapter))
        assert answers.chosen.tolist() == theirs, kind
        n_changed += answers.chosen.tolist() != target.base.chosen.tolist()
        is_merged = kind in MERGED or (base == "untied" and kind == "head")
        assert f"{name}: {'merged' if is_merged else 'unmerged'}" in " ".join(checked.result.notes)
    assert n_changed >= len(COMMON) - 1


def by_peft(base: Path, adapter: Path, tokenizer: str) -> Any:
    """PEFT's own model for lm-eval, whose head lm-eval cannot tie again."""
    network = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    network.resize_token_embeddings(len(AutoTokenizer.from_pretrained(tokenizer)), mean_resizing=False)
    adapted = PeftModel.from_pretrained(network, adapter)
    adapted.tie_weights = lambda: None
    return adapted


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


def test_adapters_in_folders_of_their_names_are_named(folder: Path) -> None:
    for name in ("sft", "dpo"):
        shutil.copytree(folder / "plain", folder / "run" / name)
    with pytest.raises(InputError, match=r"'run': it holds neither .*; adapters lie in 'run/dpo', 'run/sft'"):
        check(folder, "tied", "run")
    assert check(folder, "tied", "run/sft", "plain", items=4).result.adapters[0].name == "sft"
