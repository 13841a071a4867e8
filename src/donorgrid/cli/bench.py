"""The subcommand that measures the engine against its peers."""

import tempfile
from pathlib import Path
from typing import Annotated, cast, get_args

import typer

from donorgrid import bench as benchmark
from donorgrid.core.errors import InputError
from donorgrid.core.extras import require_training
from donorgrid.core.records import Precision

PRECISIONS = get_args(Precision)


def bench(
    data: Annotated[Path | None, typer.Option(help="a folder with sib200/ and xcopa/; default: generated text")] = None,
    precision: Annotated[str, typer.Option(help="fp32 or bf16")] = "fp32",
    train: Annotated[int, typer.Option(min=20, help="training texts")] = 300,
    items: Annotated[int, typer.Option(min=5, help="items of each target")] = 200,
    repeats: Annotated[int, typer.Option(min=1, help="interleaved repeats")] = 3,
    share: Annotated[float, typer.Option(min=0.01, max=1.0, help="how much of the work a repeat does")] = 0.2,
    threads: Annotated[int, typer.Option(min=1, help="threads of the processor")] = 1,
    jobs: Annotated[int, typer.Option(min=1, help="donorgrid's processes, which share the threads")] = 1,
    out: Annotated[Path | None, typer.Option(help="working folder; default: a temporary one")] = None,
) -> None:
    """Do one cell of a grid the release's way, a tuned peer's and donorgrid's, in turn, and print the ratios.

    Needs the extra 'lm-eval'.
    """
    require_training("bench")
    if precision not in PRECISIONS:
        raise InputError(f"--precision '{precision}': allowed are {', '.join(PRECISIONS)}")
    chosen = benchmark.run.BenchOptions(
        data=data,
        precision=cast("Precision", precision),
        n_train=train,
        n_items=items,
        repeats=repeats,
        share=share,
        threads=threads,
        jobs=jobs,
    )
    with tempfile.TemporaryDirectory() as folder:
        print(benchmark.run.run_bench(out or Path(folder), chosen))
