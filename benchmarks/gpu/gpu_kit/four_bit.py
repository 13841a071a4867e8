"""Weights in 4 bit: loaded, trained on and scored unmerged. Optional: it needs bitsandbytes."""

from importlib.util import find_spec

import torch

from donorgrid.core.errors import RunFailure
from donorgrid.core.records import Recipe
from donorgrid.models.adapter_switch import AdapterSwitch
from donorgrid.models.folders import find_model
from donorgrid.models.loading import load_base
from donorgrid.models.weight_backup import fingerprint
from donorgrid.score.plain import score_options
from donorgrid.score.scorer import Scorer
from donorgrid.train.encode import Corpus
from donorgrid.train.methods import train_runs
from gpu_kit.correctness import MAX_LENGTH, gap_nats, items_of, n_differing, n_words_of, scale_of, shape_of
from gpu_kit.machine import peak_gib, reset_peak
from gpu_kit.runner import Report, Settings
from gpu_kit.shapes import make_network
from gpu_kit.work import encoded_texts, word_tokenizer


def four_bit(name: str, settings: Settings, report: Report) -> None:
    """Writes a checkpoint, loads it in 4 bit, trains an adapter on it and scores with it unmerged."""
    report(model=name)
    if find_spec("bitsandbytes") is None:
        report(ok=None, note="bitsandbytes is not installed: not tried")
        return
    shape, folder = shape_of(name, settings), settings.work / "checkpoint"
    network = make_network(shape, dtype=torch.bfloat16, device=settings.device)
    network.save_pretrained(folder)
    word_tokenizer(n_words_of(shape), adds_bos=shape.adds_bos).save_pretrained(folder)
    del network
    reset_peak(settings.device)
    files = find_model(folder.name, revision=None, folder=folder.parent, built_in={})
    base = load_base(files, precision="bf16", device=settings.device, weights="4bit")
    before = fingerprint(base.network)
    texts = encoded_texts("arc_challenge", 32, n_words=n_words_of(shape), scale=scale_of(settings))
    recipe = Recipe(name="kit", epochs=1, batch_size=8, learning_rate=1e-3)
    (trained,) = train_runs(base, [Corpus(train=texts, validation=())], recipe, train_seeds=[17])
    if isinstance(trained, RunFailure):
        raise trained
    adapter = settings.work / "adapter-4bit"
    adapter.mkdir(exist_ok=True)
    trained.save(adapter)
    items = items_of(shape, settings, 8)
    scorer = Scorer(base.reader, max_length=MAX_LENGTH)
    packed = scorer.pack(items)
    of_base = scorer.score(packed)
    with AdapterSwitch(base).active(adapter):
        scores = scorer.score(packed)
        plain = score_options(base.network, items, max_length=MAX_LENGTH)
    is_back = fingerprint(base.network) == before
    report(
        **{
            "base is back bit for bit": is_back,
            "packed to plain, largest gap, nats": gap_nats(scores, plain),
            "packed to plain, other options": n_differing(scores, plain),
            "effect of the adapter, nats": gap_nats(scores, of_base),
            "peak memory, GiB": peak_gib(settings.device),
        },
        ok=is_back and gap_nats(scores, of_base) > 0,
    )
