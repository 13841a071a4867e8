"""The tables of docs/results/advice.md, printed from rows."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy.stats import t as student_t

from advice_exam.rows import Row

SIMPLE = ("random", "matched-task", "own-cell", "others-mean", "sibling", "probes-mean", "probes+others")
_ORDER = (*SIMPLE, "gaussian", "langrank", "donorgrid", "oracle-full-grid", "oracle-as-measured")
_HIGHER = ("within", "overall", "log_score", "best_per_target_pp", "one_for_all_pp", "share_of_best")
_LOWER = ("interval_score90", "brier", "ece")
_SHOWN = ("within", "overall", "best_per_target_pp", "one_for_all_pp", "share_of_best")
_SHARP = ("log_score", "interval_score90", "coverage90", "brier", "ece")
_NAMES = {
    "best_per_target_pp": "best per target, pp",
    "one_for_all_pp": "one for all, pp",
    "share_of_best": "share of best",
    "log_score": "log score",
    "interval_score90": "90% interval score",
    "coverage90": "coverage of 90%",
    "width90": "width, pp",
    "between": "between targets",
    "brier": "Brier",
    "ece": "calibration error",
}
_EXAMS = {"model": "Leave one model out", "family": "Leave one family out", "held-out": "Tables kept apart"}
_PROBES = {"random": "random probes", "own": "the tool's own probes"}
Group = tuple[str, str, str]


def print_page(rows: Sequence[Row]) -> None:
    """Print every table as Markdown."""
    groups: dict[Group, list[Row]] = {}
    for row in rows:
        groups.setdefault((str(row["exam"]), str(row["k"]), str(row["probes"])), []).append(row)
    for exam, title in _EXAMS.items():
        chosen = {group: members for group, members in groups.items() if group[0] == exam}
        if not chosen:
            continue
        n_models = len({row["model"] for members in chosen.values() for row in members})
        print(f"\n## {title} ({n_models} models)\n")
        for group, members in chosen.items():
            heading = f"{group[1]} adapters" if group[1] == "0" else f"{group[1]} adapter, {_PROBES[group[2]]}"
            print(f"### {heading} ({members[0]['n_draws']} draws)\n")
            _print_rules(members)
            print()
            _print_differences(members)
        print(f"### {title}: each model, donorgrid\n")
        _print_models(chosen)
        print(f"### {title}: gain by the target's task, pp\n")
        _print_tasks(chosen)


def _print_rules(rows: Sequence[Row]) -> None:
    columns = (*_SHOWN, *_SHARP)
    _header(["rule", *(_NAMES.get(name, name) for name in (*columns, "between", "width90"))])
    for rule in _rules(rows):
        means = [_mean(rows, rule, _column(name)) for name in columns]
        more = [_mean(rows, rule, _more(name)) for name in ("between", "width90")]
        _line([rule, *(_number(value) for value in (*means, *more))])
    base = {name: np.mean([row["more"]["base_rate"][name] for row in rows]) for name in ("brier", "ece")}
    _line(["*others' base rate of harm*", *("" for _ in columns[:-2]), *(_number(v) for v in base.values()), "", ""])


def _print_differences(rows: Sequence[Row]) -> None:
    """Of donorgrid to the best simple rule of each column, paired over models."""
    _header(["donorgrid minus the best simple rule", "rule", "difference", "95% interval over models", "reading"])
    for name in (*_HIGHER, *_LOWER):
        sign = 1 if name in _HIGHER else -1
        means = {rule: _mean(rows, rule, _column(name)) for rule in _rules(rows) if rule in SIMPLE}
        known = {rule: sign * value for rule, value in means.items() if value is not None}
        best = max(known, key=lambda rule: known[rule])
        low, middle, high = paired_interval(_by_model(rows, "donorgrid", name), _by_model(rows, best, name))
        reading = "no difference shown" if low <= 0 <= high else "better" if sign * middle > 0 else "worse"
        _line([_NAMES.get(name, name), best, f"{middle:+.3f}", f"{low:+.3f} to {high:+.3f}", reading])
    print()


def paired_interval(first: Mapping[str, float], second: Mapping[str, float]) -> tuple[float, float, float]:
    """The 95% t interval of a mean difference over models, with the mean in the middle.

    Parameters
    ----------
    first, second : mapping of str to float
        By model.

    Returns
    -------
    tuple of float
        Low, mean, high; the ends are infinite for a single model.
    """
    differences = np.array([first[model] - second[model] for model in first if model in second])
    if len(differences) < 2:
        return -np.inf, float(differences.mean()), np.inf
    half = student_t.ppf(0.975, len(differences) - 1) * differences.std(ddof=1) / np.sqrt(len(differences))
    return float(differences.mean() - half), float(differences.mean()), float(differences.mean() + half)


def _print_models(groups: Mapping[Group, Sequence[Row]]) -> None:
    columns = ("within", "within_ceiling", "coverage90", "coverage90_mt_cl", "coverage90_ct_ml", "coverage90_ct_cl")
    _header(["model", "k", "probes", *(_NAMES.get(name, name) for name in columns), "within / ceiling"])
    for (_, k, probes), rows in groups.items():
        for row in rows:
            if row["rule"] == "donorgrid":
                share = float(row["within"]) / float(row["within_ceiling"])
                _line([row["model"], k, probes, *(_number(row[name]) for name in columns), f"{share:.2f}"])
    print()


def _print_tasks(groups: Mapping[Group, Sequence[Row]]) -> None:
    tasks = sorted(next(iter(groups.values()))[0]["more"]["by_task"])
    _header(["k", "probes", "rule", *tasks, "without global_mmlu"])
    for (_, k, probes), rows in groups.items():
        for rule in _rules(rows):
            means = {task: _mean(rows, rule, lambda row, task=task: row["more"]["by_task"][task]) for task in tasks}
            rest = np.mean([value for task, value in means.items() if task != "global_mmlu"])
            _line([k, probes, rule, *(_number(means[task]) for task in tasks), _number(float(rest))])
    print()


def _rules(rows: Sequence[Row]) -> list[str]:
    present = {str(row["rule"]) for row in rows}
    return [rule for rule in _ORDER if rule in present]


def _mean(rows: Sequence[Row], rule: str, value: Callable[[Row], object]) -> float | None:
    values = [value(row) for row in rows if row["rule"] == rule]
    return None if any(item is None for item in values) else float(np.mean(np.array(values, dtype=float)))


def _column(name: str) -> Callable[[Row], object]:
    return lambda row: row[name]


def _more(name: str) -> Callable[[Row], object]:
    return lambda row: row["more"].get(name)


def _by_model(rows: Sequence[Row], rule: str, name: str) -> dict[str, float]:
    return {str(row["model"]): float(row[name]) for row in rows if row["rule"] == rule and row[name] is not None}


def _number(value: object) -> str:
    return "" if value is None else f"{float(str(value)):.3f}"


def _header(names: Sequence[str]) -> None:
    _line(names)
    _line(["---"] * len(names))


def _line(cells: Sequence[object]) -> None:
    print("| " + " | ".join(str(cell) for cell in cells) + " |")
