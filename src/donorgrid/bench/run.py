"""``donorgrid bench``: make the work, compare the ways, show the page."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from donorgrid.bench.compare import OWN, PEER, RELEASE, Shares, compare
from donorgrid.bench.page import markdown
from donorgrid.bench.texts import generated_texts, real_texts
from donorgrid.bench.workload import make_work
from donorgrid.core.errors import InputError
from donorgrid.core.records import Precision

WAYS = (RELEASE, PEER, OWN)
_PADDED = 10


@dataclass(frozen=True, kw_only=True)
class BenchOptions:
    """What is run: ``data`` holds real texts (None: generated ones); ``share`` is how much of the work a repeat does.

    The release's way, which pads every text to 512 tokens, trains on a tenth of that. Every way has ``threads``
    threads; ``jobs`` is how many processes share them in donorgrid's way, as those of ``donorgrid run`` do.
    """

    data: Path | None = None
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
    """Run the benchmark in the folder ``out`` and return its page (Markdown), which also lies there as bench.md.

    Raises InputError for unknown ways, a share outside (0, 1], or data that is not there.
    """
    unknown = sorted(set(options.ways) - set(WAYS))
    if unknown or OWN not in options.ways:
        raise InputError(f"ways {list(options.ways)}: allowed are {list(WAYS)}, '{OWN}' always among them")
    if not 1 <= options.jobs <= options.threads:
        raise InputError(f"jobs {options.jobs}: it must be at least 1 and at most the threads ({options.threads})")
    if not 0 < options.share <= 1:
        raise InputError(f"share {options.share}: it must be above 0 and at most 1")
    out.mkdir(parents=True, exist_ok=True)
    size = {"n_train": options.n_train, "n_items": options.n_items}
    texts = generated_texts(**size) if options.data is None else real_texts(options.data, **size)
    work = make_work(out, texts, precision=options.precision, threads=options.threads, epochs=options.epochs)
    shares = Shares(
        texts=max(16, round(options.share * options.n_train)),
        items=max(2, round(options.share * options.n_items)),
        release_texts=max(16, round(options.share * options.n_train / _PADDED)),
        release_items=max(2, round(options.share * options.n_items)),
    )
    page = markdown(compare(work, shares, repeats=options.repeats, jobs=options.jobs, ways=options.ways, say=say))
    (out / "bench.md").write_text(page, encoding="utf-8")
    return page
