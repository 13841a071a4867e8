"""The exams of advice: donorgrid and simple rules predict models that were held out, and choose sources for them.

    python benchmarks/advice.py TABLE... [--held-out TABLE...] [--json FILE] [--draws 50] [--work FOLDER]

Each model of the tables is predicted from the others (exam "model") and from other families (exam "family"); those of
``--held-out`` from the tables (exam "held-out"). Rules see nothing of a held-out model but its probes: none, one or two
adapters of each task, random ones or the tool's own. Prints the tables of docs/results/advice.md; ``--json`` writes one
row for each model, exam, number of probes and rule. With ``--work`` finished sittings are kept there and a later call
goes on. The rule "langrank" needs scikit-learn (``pip install "donorgrid[benchmarks]"``).
"""

import argparse
import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from advice_exam.drawing import NoiseGuess
from advice_exam.gaussian_rule import GaussianRule
from advice_exam.held_out import HeldOut, Truth, exams_of
from advice_exam.page import print_page
from advice_exam.rows import K_NAMES, Row, base_rate, rows_of
from advice_exam.simple_rules import SIMPLE_RULES
from advice_exam.sitting import Examinee, Plan, sit
from advice_exam.trees_rule import TreesRule
from threadpoolctl import threadpool_limits

from donorgrid.pipeline.advise.known_cells import known_deltas, models_in, read_cells
from donorgrid.statistics.transfer_model.knowledge import gather_knowledge


def main() -> None:
    given = _arguments()
    frames = read_cells([*given.tables, *given.held_out])
    kept_apart = models_in(read_cells(given.held_out)) if given.held_out else []
    knowledge = gather_knowledge(known_deltas(frames, without=None))
    rows: list[Row] = []
    with threadpool_limits(limits=1):
        for held, truth in exams_of(knowledge, kept_apart):
            rows += list(_examine(held, truth, given))
    print_page(rows)
    if given.json:
        published = [{name: value for name, value in row.items() if name != "more"} for row in rows]
        given.json.write_text(json.dumps(published, indent=1) + "\n", encoding="utf-8")


def _examine(held: HeldOut, truth: Truth, given: argparse.Namespace) -> Iterator[Row]:
    examinee: Examinee | None = None
    for plan in _plans(given.draws):
        kept = (
            given.work and given.work / f"{held.exam}-{held.model}-{plan.n_per_task}-{plan.probes}-{plan.n_draws}.json"
        )
        if kept and kept.is_file():
            yield from json.loads(kept.read_text(encoding="utf-8"))
            continue
        examinee = examinee or Examinee(held, _rules(with_trees=not given.without_trees))
        rows = _sitting(examinee, truth, plan)
        if kept:
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps(rows, indent=1), encoding="utf-8")
        yield from rows


def _sitting(examinee: Examinee, truth: Truth, plan: Plan) -> list[Row]:
    sat = sit(examinee, truth, plan)
    rows = rows_of(examinee.held, truth, plan, sat)
    for row in rows:
        row["more"]["base_rate"] = base_rate(examinee.held, truth)
    return rows


def _plans(n_draws: int) -> list[Plan]:
    return [
        Plan(n_draws=n_draws, n_per_task=n, probes=probes, guess=NoiseGuess())
        for n in K_NAMES
        for probes in (("random", "own") if n else ("random",))
    ]


def _rules(*, with_trees: bool) -> list[object]:
    trees = [TreesRule()] if with_trees and find_spec("sklearn") else []
    return [*SIMPLE_RULES, GaussianRule(), *trees]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="+", type=Path, metavar="TABLE")
    parser.add_argument("--held-out", nargs="+", type=Path, default=[], metavar="TABLE")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--draws", type=int, default=50)
    parser.add_argument("--without-trees", action="store_true", help="leave the rule langrank out")
    parser.add_argument("--work", type=Path, help="folder of finished sittings")
    return parser.parse_args()


if __name__ == "__main__":
    main()
