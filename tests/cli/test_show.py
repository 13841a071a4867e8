import polars as pl
import pytest
from rich.table import Table

from donorgrid.cli.show import make_console, show_regimes


@pytest.mark.parametrize("name", ["[/b]", "[bold]x[/bold]", "s[1]", ":warning:", "[link=x]", "\\[x]"])
def test_names_are_printed_as_they_are(capsys, name):
    console = make_console(width=60)
    console.print(f"wrote {name}", soft_wrap=True)
    table = Table(title=f"of {name}")
    table.add_column(name)
    table.add_row(name)
    console.print(table)
    assert capsys.readouterr().out.count(name) == 4


def test_regimes_of_sound_targets_come_first(capsys):
    row = {"regime": "transfer", "n": 9, "mean_pp": 1.0, "median_pp": 1.0, "positive_rate": 0.5, "harm_rate": 0.1}
    arm = {"recipe": ["lora"], "train_size": [None], "checkpoint": [None], "strength": [None]}
    regimes = pl.DataFrame([row]).with_columns(**{name: pl.Series(value) for name, value in arm.items()})
    marked = pl.DataFrame({"task": ["a"], "language": ["de"]})
    tables = {"regimes": regimes, "regimes_sound": regimes.with_columns(n=pl.lit(7)), "degenerate": marked}
    show_regimes(tables, make_console(width=120))
    first, second = capsys.readouterr().out.split("all targets")
    assert "without 1 degenerate target (" in first
    assert " 7 " in first
    assert " 9 " in second
    show_regimes(tables | {"regimes_sound": regimes.clear()}, make_console(width=120))
    assert capsys.readouterr().out.startswith("No target is sound")
    pair = {"source_task": "a", "source_language": "en", "target_task": "b", "target_language": "en"}
    unshared = {"shared_texts": pl.DataFrame([pair]), "regimes_unshared": regimes.with_columns(n=pl.lit(5))}
    show_regimes(tables | unshared, make_console(width=120))
    last = " ".join(capsys.readouterr().out.split()).split("without 1 pair with shared texts, sound targets")[1]
    assert " 5 " in last
    assert " 7 " not in last
    show_regimes(tables | {"degenerate": marked.clear()}, make_console(width=120))
    assert "degenerate" not in capsys.readouterr().out
