"""Attention in short rows, computed in several ways, on the same work in turn: the kernel itself and the whole engine.

    python benchmarks/attention_kernels.py [--repeats 15] [--engine-repeats 5] [--no-engine]

The ways: the plain loops that donorgrid uses (``models.fast_cpu.small_products``), the same products in LLVM's own
language (``llvm_products.py``) and in C (compiled here by ``cc``, called through a pointer), and torch's
``scaled_dot_product_attention`` on padded rows. Prints the medians of processor seconds, and of the ratios to the plain
loops in the same repeat. One thread. docs/decisions/010 holds what it printed.
"""

import argparse
import ctypes
import importlib.util
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import llvm_products
import torch
import yaml

from donorgrid.bench.texts import generated_texts
from donorgrid.bench.workload import items, make_workload, training_texts
from donorgrid.core.names import StudyFolder
from donorgrid.core.records import Recipe
from donorgrid.models.fast_cpu import attention, short_attention, unpadded_rows
from donorgrid.models.fast_cpu.compiled import inlined
from donorgrid.models.folders import find_model
from donorgrid.models.loading import Base, load_base
from donorgrid.models.rows import packed_row, pad_rows
from donorgrid.pipeline.prepare.study import prepare
from donorgrid.plan.presets import study_preset
from donorgrid.score.encode import encode_items
from donorgrid.score.scorer import Scorer
from donorgrid.train.encode import encode_texts
from donorgrid.train.loop import Corpus
from donorgrid.train.methods import train_runs
from donorgrid.train.text_selection import split_texts

PLAIN, LLVM, C, TORCH = "plain loops", "LLVM IR", "C", "torch"
SHORT = unpadded_rows.SHORT_ROW_TOKENS
C_SOURCE = """
typedef float vector __attribute__((vector_size(64), aligned(4)));
#define MULTIPLY(name, AT) \\
void name(float *into, const float *left, const float *right, long into_step, long left_step, long right_step, \\
          long row, long first, long last, long width) { \\
  for (long column = 0; column < width; column += 16) { \\
    vector sums[4] = {{0}, {0}, {0}, {0}}; \\
    for (long inner = first; inner < last; inner++) { \\
      vector x = *(const vector *)(right + inner * right_step + column); \\
      for (int r = 0; r < 4; r++) sums[r] += left[AT] * x; \\
    } \\
    for (int r = 0; r < 4; r++) *(vector *)(into + (row + r) * into_step + column) = sums[r]; \\
  } \\
}
MULTIPLY(multiply, (row + r) * left_step + inner)
MULTIPLY(multiply_transposed, inner * left_step + row + r)
"""


@dataclass(frozen=True)
class Way:
    """The two compiled functions of attention, and up to how many tokens a row is short."""

    forward: Any
    backward: Any
    short_row_tokens: int = SHORT

    def use(self) -> None:
        attention.attention_forward, attention.attention_backward = self.forward, self.backward
        unpadded_rows.SHORT_ROW_TOKENS = self.short_row_tokens


def ways(folder: Path) -> dict[str, Way]:
    c = c_products(folder)
    plain = Way(short_attention.attention_forward, short_attention.attention_backward)
    by_way = {PLAIN: plain}
    for name, products in ((LLVM, vars(llvm_products)), (C, c)):
        module = copy_of(short_attention)
        module.multiply, module.multiply_transposed = products["multiply"], products["multiply_transposed"]
        module.attention_forward._cache = module.attention_backward._cache = short_attention.multiply._cache
        by_way[name] = Way(module.attention_forward, module.attention_backward)
    return {**by_way, TORCH: Way(plain.forward, plain.backward, short_row_tokens=0)}


def copy_of(module: ModuleType) -> Any:
    spec = importlib.util.spec_from_file_location(f"{module.__name__}_copy", module.__file__)
    copy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(copy)
    return copy


def c_products(folder: Path) -> dict[str, Any]:
    source, library = folder / "products.c", folder / "products.so"
    source.write_text(C_SOURCE, encoding="utf-8")
    subprocess.run(
        ["cc", "-O3", "-march=native", "-ffp-contract=fast", "-shared", "-fPIC", source, "-o", library], check=True
    )
    loaded = ctypes.CDLL(str(library))

    def wrapped(name: str) -> Any:
        function = getattr(loaded, name)
        function.argtypes, function.restype = [ctypes.c_void_p] * 3 + [ctypes.c_long] * 7, None

        @inlined
        def product(into, left, right, row, first, last, width):
            steps = into.shape[1], left.shape[1], right.shape[1]
            function(into.ctypes.data, left.ctypes.data, right.ctypes.data, *steps, row, first, last, width)

        return product

    return {name: wrapped(name) for name in ("multiply", "multiply_transposed")}


def kernel_works(lengths: list[int], *, layout: attention.HeadLayout) -> dict[str, Callable[[], object]]:
    """Attention of one layer forward, without and with what the gradient needs, and its gradient."""
    rows = unpadded_rows.UnpaddedRows(
        pad_rows([packed_row([tuple(range(1000 * row, 1000 * row + n))]) for row, n in enumerate(lengths)])
    )
    torch.manual_seed(0)
    n_columns = (layout.n_query_heads + 2 * layout.n_kv_heads) * layout.head_dim
    qkv = torch.randn(rows.n_tokens, n_columns)
    slope = torch.randn(len(qkv), layout.n_query_heads * layout.head_dim)

    def both() -> object:
        layer = attention.Attention(layout, rows, None)
        layer.forward(qkv, save_for_backward=True)
        return layer.backward(slope)

    return {
        "forward": lambda: attention.Attention(layout, rows, None).forward(qkv, save_for_backward=False),
        "forward and backward": both,
    }


def engine_works(base: Base, corpus: Corpus, targets: list[Any], recipe: Any) -> dict[str, Callable[[], object]]:
    scorer = Scorer(base.reader, max_length=512)
    packed = [scorer.pack(encode_items(target, base.tokenizer, chat_template=False).items) for target in targets]
    return {
        "train": lambda: train_runs(base, [corpus], recipe, train_seeds=[17]),
        "score": lambda: [scorer.score(target) for target in packed],
    }


def demo_works(folder: Path) -> dict[str, Callable[[], object]]:
    """The pocket model: one adapter of the demo, and its answers to all targets."""
    study = folder / "demo.yaml"
    study.write_text(yaml.safe_dump(study_preset("demo")), encoding="utf-8")
    prepared = prepare(study, StudyFolder(folder / "out"))
    base = load_base(prepared.models["pocket"], precision="fp32", device="cpu")
    run = prepared.grid.runs[0]
    corpus = corpus_of(base, prepared.cells[run.source.cells[0]].train)
    return engine_works(base, corpus, [prepared.cells[cell].test for cell in prepared.grid.targets], run.recipe)


def bench_works(folder: Path) -> dict[str, Callable[[], object]]:
    """A fifth of the work of benchmarks/engine.py: a Llama of ten million parameters."""
    texts = generated_texts(n_train=60, n_items=40)
    workload = make_workload(folder, texts, recipe=Recipe(name="bench", epochs=3, precision="fp32"), threads=1)
    model = find_model(workload.checkpoint.name, revision=None, folder=folder, built_in={})
    base = load_base(model, precision="fp32", device="cpu")
    corpus = corpus_of(base, training_texts(texts.train))
    return engine_works(base, corpus, [items(name, those) for name, those in texts.targets.items()], workload.recipe)


def corpus_of(base: Base, texts: Any) -> Corpus:
    split = split_texts(texts, split_seed=42, validation_share=0.1)
    parts = (encode_texts(part, base.tokenizer) for part in (split.train, split.validation))
    return Corpus(train=next(parts), validation=next(parts))


def compare(works: dict[str, Callable[[], object]], by_way: dict[str, Way], *, repeats: int, least_s: float) -> None:
    for name, work in works.items():
        seconds: dict[str, list[float]] = {way: [] for way in by_way}
        for repeat in range(-1, repeats):  # the first time compiles
            for way, functions in by_way.items():
                functions.use()
                start, n = time.process_time(), 0
                while n == 0 or time.process_time() - start < least_s:
                    work()
                    n += 1
                if repeat >= 0:
                    seconds[way].append((time.process_time() - start) / n)
        for way, times in seconds.items():
            ratio = statistics.median(mine / plain for mine, plain in zip(times, seconds[PLAIN], strict=True))
            print(f"  {name:21} {way:12} {statistics.median(times) * 1e3:9.3f} ms  {ratio:5.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--engine-repeats", type=int, default=5)
    parser.add_argument("--no-engine", action="store_true", help="the kernel only")
    given = parser.parse_args()
    torch.set_num_threads(1)
    big = attention.HeadLayout(n_query_heads=8, n_kv_heads=8, head_dim=32, scaling=0.18)
    small = attention.HeadLayout(n_query_heads=4, n_kv_heads=2, head_dim=32, scaling=0.18)
    wide = attention.HeadLayout(n_query_heads=8, n_kv_heads=8, head_dim=64, scaling=0.125)
    kernels = {
        "8 rows of 33 to 46 tokens, 8 heads of 32": ([33, 46, 39, 38, 41, 36, 44, 35], big),
        "8 rows of 8 to 14 tokens, 4 heads of 32, 2 of keys": ([8, 14, 9, 10, 11, 12, 13, 8], small),
        "40 rows of 25 to 60 tokens, 8 heads of 32": ([25 + 7 * row % 36 for row in range(40)], big),
        "16 rows of 96 to 126 tokens, 8 heads of 64": ([96 + 2 * row for row in range(16)], wide),
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        by_way = ways(folder)
        for title, (lengths, layout) in kernels.items():
            print(title)
            compare(kernel_works(lengths, layout=layout), by_way, repeats=given.repeats, least_s=0.02)
        for title, works in {"demo": demo_works, "bench": bench_works}.items() if not given.no_engine else ():
            print(f"the engine: {title}")
            compare(works(folder), by_way, repeats=given.engine_repeats, least_s=0.5)


if __name__ == "__main__":
    main()
