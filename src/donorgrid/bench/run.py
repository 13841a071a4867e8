"""``donorgrid bench``: makes the workload, compares the ways, writes the page."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from donorgrid.bench.compare import compare
from donorgrid.bench.page import markdown
from donorgrid.bench.texts import generated_texts, real_texts
from donorgrid.bench.ways import DONORGRID, PEER, RELEASE, Sizes
from donorgrid.bench.workload import make_workload
from donorgrid.core.atomic_files import make_folder
from donorgrid.core.errors import InputError
from donorgrid.core.records import Precision, Recipe

WAYS = (RELEASE, PEER, DONORGRID)
_RELEASE_FRACTION = 10
"""The release's way pads every text to 512 tokens, so it trains on a tenth of the texts."""


@dataclass(frozen=True, kw_only=True)
class BenchOptions:
    """What is run.

    Attributes
    ----------
    data
        A folder with real texts; None for generated ones.
    model
        The folder of a real model; None for a random Llama of 10 million parameters.
    chat_template
        Whether questions are scored under the model's chat template.
    precision, n_train, n_items, epochs
        The workload: training texts, and items of each target.
    repeats
        How often each way is run.
    share
        How much of the workload a repeat does, above 0 and at most 1.
    threads, jobs
        Threads of every way, and processes that share them in donorgrid's way.
    ways
        Some of ``WAYS``, ``donorgrid`` always among them.
    """

    data: Path | None = None
    model: Path | None = None
    chat_template: bool = False
    precision: Precision = "fp32"
    n_train: int = 300
    n_items: int = 200
    epochs: int = 3
    repeats: int = 3
    share: float = 0.2
    threads: int = 1
    jobs: int = 1
    ways: tuple[str, ...] = WAYS


def run_bench(out: Path, options: BenchOptions, say: Callable[[str], None] = print) -> str:
    """Runs the benchmark.

    Parameters
    ----------
    out
        The working folder; the page is written there as ``bench.md``.
    options
        What is run.
    say
        Receives a line per repeat.

    Returns
    -------
    str
        The page, as Markdown.

    Raises
    ------
    InputError
        For unknown ways, a share outside (0, 1], too many jobs, or missing data.
    """
    unknown = sorted(set(options.ways) - set(WAYS))
    if unknown or DONORGRID not in options.ways:
        raise InputError(f"ways {list(options.ways)}: allowed are {list(WAYS)}, '{DONORGRID}' always among them")
    if not 1 <= options.jobs <= options.threads:
        raise InputError(f"jobs {options.jobs}: it must be at least 1 and at most the threads ({options.threads})")
    if not 0 < options.share <= 1:
        raise InputError(f"share {options.share}: it must be above 0 and at most 1")
    if options.model is not None and not (options.model / "config.json").exists():
        raise InputError(f"{options.model}: it holds no config.json; expected the folder of a model")
    make_folder(out)
    size = {"n_train": options.n_train, "n_items": options.n_items}
    texts = generated_texts(**size) if options.data is None else real_texts(options.data, **size)
    workload = make_workload(
        out,
        texts,
        recipe=Recipe(name="bench", epochs=options.epochs, precision=options.precision),
        threads=options.threads,
        model=options.model,
        chat_template=options.chat_template,
    )
    sizes = Sizes(
        texts=max(16, round(options.share * options.n_train)),
        items=max(2, round(options.share * options.n_items)),
        release_texts=max(16, round(options.share * options.n_train / _RELEASE_FRACTION)),
        release_items=max(2, round(options.share * options.n_items)),
    )
    page = markdown(compare(workload, sizes, repeats=options.repeats, jobs=options.jobs, ways=options.ways, say=say))
    (out / "bench.md").write_text(page, encoding="utf-8")
    return page
