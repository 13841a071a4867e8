"""Are the scores right? Packed, one option at a time and lm-eval; bf16 against float32; merged and taken off again."""

import copy
import itertools
import json
import math
import os
from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from peft import LoraConfig, PeftModel, get_peft_model

from donorgrid.models.adapter_switch import AdapterSwitch
from donorgrid.models.gpu.ways import ALL_WAYS, WayName
from donorgrid.models.output_head import check_head
from donorgrid.models.peft_quirks import quiet_deprecations
from donorgrid.score.choose import choose
from donorgrid.score.encode import EncodedItem
from donorgrid.score.plain import score_options
from donorgrid.score.scorer import Scorer
from gpu_kit.runner import Report, Settings
from gpu_kit.shapes import SHAPES, Shape, make_base, make_network, tiny
from gpu_kit.work import TASKS, as_text, encoded_items, questions, word_tokenizer

MAX_LENGTH = 2048
_N_WORDS = 20_000
_LARGEST_GAP_NATS = 1e-4
_TIMES_THEIRS, _LARGEST_OF_ALL_NATS = 2.0, 1e-2
Scores = list[list[float]]


def shape_of(name: str, settings: Settings) -> Shape:
    """A shape, or its tiny form in a test."""
    return tiny(SHAPES[name]) if settings.tiny else SHAPES[name]


def n_words_of(shape: Shape) -> int:
    """How many words the questions are made of."""
    return min(_N_WORDS, shape.keys["vocab_size"])


def scale_of(settings: Settings) -> float:
    """The lengths of texts, as a share of the paper's."""
    return 0.15 if settings.tiny else 1.0


def items_of(shape: Shape, settings: Settings, n: int, tasks: Sequence[str] = tuple(TASKS)) -> list[EncodedItem]:
    """Items of several tasks in turn, each with the BOS that the tokenizer puts."""
    make = partial(questions, n_words=n_words_of(shape), scale=scale_of(settings))
    first = (0,) if shape.adds_bos else ()
    return [item for task in tasks for item in encoded_items(task, make(task, n), first=first)]


def packed_scores(network: Any, items: Sequence[EncodedItem], way: WayName = "dense masks") -> Scores:
    """The scores of packed rows, read in one way. RuntimeError if that way was not used."""
    reader = make_base(network, way).reader
    scorer = Scorer(reader, max_length=MAX_LENGTH)
    packed = scorer.pack(items)
    scores = scorer.score(packed)
    if not reader.can_pack or reader.chosen_ways.get("reading", "dense masks") != way:
        raise RuntimeError(f"'{way}' was not used: log.txt says why")
    return scores


def first_line(error: Exception) -> str:
    """What an error says, in short."""
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:200]}"


def gap_nats(scores: Scores, reference: Scores) -> float:
    """The largest difference of two sets of scores."""
    pairs = zip(itertools.chain(*scores), itertools.chain(*reference), strict=True)
    return max(abs(left - right) for left, right in pairs)


def n_differing(scores: Scores, reference: Scores) -> int:
    """On how many items another option is chosen."""
    return sum(choose(left) != choose(right) for left, right in zip(scores, reference, strict=True))


def parity(name: str, settings: Settings, report: Report) -> None:
    """Float32: packed in each way = one option at a time = lm-eval, by scores and by chosen options.

    On a GPU each shape of a batch rounds otherwise, and large random weights make that more than 1e-4 nats. So a way
    also passes if it is no further from one option at a time than lm-eval's own batches are, twice over.
    """
    shape = shape_of(name, settings)
    network = make_network(shape, dtype=torch.float32, device=settings.device)
    check_head(network, torch.device(settings.device))
    items = items_of(shape, settings, 4 if settings.tiny else 24)
    plain = score_options(network, items, max_length=MAX_LENGTH)
    report(model=name, precision="fp32", n_items=len(items), n_options=sum(map(len, plain)))
    gaps, n_other = {}, 0
    has_lm_eval = find_spec("lm_eval") is not None
    for way in (*(("lm-eval",) if has_lm_eval else ()), *ALL_WAYS[:2]):
        try:
            if way == "lm-eval":
                scores = lm_eval_scores(network, shape, items, settings.work)
            else:
                scores = packed_scores(network, items, way)
        except RuntimeError as error:
            report(**{f"{way}: error": first_line(error)})
            gaps[way] = 0.0 if way == "block masks" else math.inf
            continue
        gaps[way], differing = gap_nats(scores, plain), n_differing(scores, plain)
        n_other += differing
        report(**{f"{way}: largest gap to plain, nats": gaps[way], f"{way}: other options": differing})
    theirs = gaps.pop("lm-eval", 0.0)
    allowed = max(_LARGEST_GAP_NATS, _TIMES_THEIRS * theirs)
    report(**{"allowed gap, nats": allowed, "lm-eval is there": has_lm_eval})
    report(ok=max(gaps.values()) <= allowed and not n_other and theirs < _LARGEST_OF_ALL_NATS)


def lm_eval_scores(
    network: Any, shape: Shape, items: Sequence[EncodedItem], folder: Path, *, batch_size: int = 16
) -> Scores:
    """lm-eval's log-likelihoods of the same items as text, in process."""
    evaluate, model, task = lm_eval_parts(network, shape, items, folder, batch_size=batch_size)
    found = evaluate(model, {"kit": task}, log_samples=True, bootstrap_iters=0)
    samples = sorted(found["samples"]["kit"], key=lambda sample: sample["doc_id"])
    return [[float(option[0]) for option in sample["filtered_resps"]] for sample in samples]


def lm_eval_parts(
    network: Any, shape: Shape, items: Sequence[EncodedItem], folder: Path, *, batch_size: int
) -> tuple[Any, Any, Any]:
    """lm-eval's ``evaluate``, its model around a network, and a task of the same items as text."""
    os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", HF_DATASETS_CACHE=str(folder / "datasets"))
    from lm_eval import evaluate  # noqa: PLC0415
    from lm_eval.api.task import ConfigurableTask  # noqa: PLC0415
    from lm_eval.models.huggingface import HFLM  # noqa: PLC0415

    rows = [
        {"text": item.item.context, "choices": list(map(as_text, item.continuations)), "answer": 0} for item in items
    ]
    documents = folder / f"kit-{os.getpid()}.jsonl"
    documents.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    tokenizer = word_tokenizer(n_words_of(shape), adds_bos=shape.adds_bos)
    model = HFLM(pretrained=network, tokenizer=tokenizer, batch_size=batch_size, softmax_dtype="float32")
    config = {"task": "kit", "output_type": "multiple_choice", "dataset_path": "json", "test_split": "test"}
    config |= {"dataset_kwargs": {"data_files": {"test": str(documents)}}, "doc_to_text": "{{text}}"}
    config |= {"doc_to_choice": "{{choices}}", "doc_to_target": "answer", "metric_list": [{"metric": "acc"}]}
    return evaluate, model, ConfigurableTask(config=config)


def near_ties(name: str, settings: Settings, report: Report) -> None:
    """bf16: another option than float32's only where float32's margin is below three times the error of bf16."""
    shape = shape_of(name, settings)
    network = make_network(shape, dtype=torch.bfloat16, device=settings.device)
    items = items_of(shape, settings, 6 if settings.tiny else 100)
    exact = score_options(copy.deepcopy(network).float(), items, max_length=MAX_LENGTH)
    report(model=name, precision="bf16", n_items=len(items))
    report(plain=(found := differing_items(score_options(network, items, max_length=MAX_LENGTH), exact)))
    ok = not found["not near-ties"]
    for way in ALL_WAYS[:2]:
        try:
            found = differing_items(packed_scores(network, items, way), exact)
        except RuntimeError as error:
            found = {"error": first_line(error), "not near-ties": int(way == "dense masks")}
        report(**{way: found})
        ok = ok and not found["not near-ties"]
    report(ok=ok)


def differing_items(scores: Scores, exact: Scores) -> dict[str, Any]:
    """The error of differences between options, and the items that are chosen otherwise: near-ties, or not."""
    errors, margins = [], []
    for row, reference in zip(scores, exact, strict=True):
        best, second = np.argsort(-np.array(reference), kind="stable")[:2]
        errors.append(abs((row[best] - row[second]) - (reference[best] - reference[second])))
        margins.append((reference[best] - reference[second], choose(row) != choose(reference)))
    error = float(np.mean(errors))
    differing = [margin for margin, differs in margins if differs]
    return {
        "mean error of a difference, nats": error,
        "largest": float(max(errors)),
        "other options": len(differing),
        "not near-ties": sum(margin > 3 * error for margin in differing),
        "median margin, nats": float(np.median([margin for margin, _ in margins])),
    }


def merging(name: str, settings: Settings, report: Report) -> None:
    """An adapter merged and taken off: the base comes back bit for bit, and merged scores are PEFT's."""
    shape = shape_of(name, settings)
    items = items_of(shape, settings, 2 if settings.tiny else 8)
    ok = True
    for precision, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        network = make_network(shape, dtype=dtype, device=settings.device)
        adapter = random_adapter(network, settings.work / f"adapter-{precision}")
        before = {key: value.clone() for key, value in network.state_dict().items()}
        switch = AdapterSwitch(make_base(network))
        for _ in range(3):
            with switch.active(adapter):
                merged = score_options(network, items, max_length=MAX_LENGTH)
        after = network.state_dict()
        is_back = all(torch.equal(before[key], after[key]) for key in before)
        base_scores = score_options(network, items, max_length=MAX_LENGTH)
        with quiet_deprecations():
            adapted = PeftModel.from_pretrained(network, adapter).base_model.model
        theirs = score_options(adapted, items, max_length=MAX_LENGTH)
        gap, effect = gap_nats(merged, theirs), gap_nats(merged, base_scores)
        found = {"base is back bit for bit": is_back, "largest gap to PEFT unmerged, nats": gap, "effect, nats": effect}
        report(**{precision: found})
        ok = (
            ok
            and is_back
            and effect > 100 * _LARGEST_GAP_NATS
            and (dtype is torch.bfloat16 or gap <= 10 * _LARGEST_GAP_NATS)
        )
        del network, adapted, before, after, switch
    report(model=name, n_items=len(items), ok=ok)


def random_adapter(network: Any, folder: Path, *, rank: int = 32) -> Path:
    """Writes an adapter with random factors and takes PEFT's modules off again."""
    modules = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    config = LoraConfig(r=rank, lora_alpha=2.0 * rank, target_modules=modules, task_type="CAUSAL_LM")
    torch.manual_seed(1)
    with quiet_deprecations():
        adapted = get_peft_model(network, config)
    with torch.no_grad():
        for key, parameter in adapted.named_parameters():
            if "lora_B" in key:
                parameter.normal_(std=0.02)
    adapted.save_pretrained(folder)
    adapted.unload()
    network.requires_grad_(False).eval()
    return folder
