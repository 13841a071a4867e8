"""Prints what the fuzz tried: inputs and exit codes by class."""

from typing import Any


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """One line for every class, and the sums."""
    rows = [
        value
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", None) == "call"
        for name, value in report.user_properties
        if name == "fuzz"
    ]
    if not rows:
        return
    codes = sorted({int(code) for _, _, counts, _ in rows for code in counts})
    terminalreporter.section("inputs of the fuzz, by exit code")
    terminalreporter.write_line("| class | inputs | " + " | ".join(map(str, codes)) + " | slowest, s |")
    terminalreporter.write_line("|---|" + "---:|" * (len(codes) + 2))
    for name, n_inputs, counts, slowest_s in [*rows, _total(rows)]:
        by_code = {int(code): number for code, number in counts.items()}
        numbers = " | ".join(f"{by_code.get(code, 0):,}" for code in codes)
        terminalreporter.write_line(f"| {name} | {n_inputs:,} | {numbers} | {slowest_s} |")


def _total(rows: list[Any]) -> tuple[str, int, dict[str, int], float]:
    totals: dict[str, int] = {}
    for _, _, counts, _ in rows:
        for code, number in counts.items():
            totals[str(code)] = totals.get(str(code), 0) + number
    return "all", sum(row[1] for row in rows), totals, max(row[3] for row in rows)
