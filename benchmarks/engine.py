"""One cell of a grid (one adapter trained, eight targets scored) three ways, in turn, on the same work.

    python benchmarks/engine.py [--data FOLDER] [--model FOLDER] [--chat-template] [--precision bf16] [--share 1.0]
        [--threads 2] [--jobs 2] [--out FOLDER]

``--data`` names a folder with ``sib200/`` and ``xcopa/``; without it the texts are generated. docs/results/engine.md
holds what it printed, and docs/engine.md says what the three ways are.
"""

import argparse
import tempfile
from pathlib import Path

from donorgrid.bench.run import WAYS, BenchOptions, run_bench


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with sib200/ and xcopa/")
    parser.add_argument("--model", type=Path, help="folder of a real model (default: a random Llama of 10 million)")
    parser.add_argument("--chat-template", action="store_true", help="score under the model's chat template")
    parser.add_argument("--out", type=Path, help="working folder (default: a temporary one)")
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--train", type=int, default=300, help="training texts")
    parser.add_argument("--items", type=int, default=200, help="items of each target")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--share", type=float, default=0.2, help="how much of the work a repeat does")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="donorgrid's processes, which share the threads")
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=WAYS)
    given = parser.parse_args()
    options = BenchOptions(
        data=given.data,
        model=given.model,
        chat_template=given.chat_template,
        epochs=given.epochs,
        precision=given.precision,
        n_train=given.train,
        n_items=given.items,
        repeats=given.repeats,
        share=given.share,
        threads=given.threads,
        jobs=given.jobs,
        ways=tuple(given.ways),
    )
    with tempfile.TemporaryDirectory() as folder:
        print(run_bench(given.out or Path(folder), options))


if __name__ == "__main__":
    main()
