import pytest
from rich.table import Table

from donorgrid.cli.show import make_console


@pytest.mark.parametrize("name", ["[/b]", "[bold]x[/bold]", "s[1]", ":warning:", "[link=x]", "\\[x]"])
def test_names_are_printed_as_they_are(capsys, name):
    console = make_console(width=60)
    console.print(f"wrote {name}", soft_wrap=True)
    table = Table(title=f"of {name}")
    table.add_column(name)
    table.add_row(name)
    console.print(table)
    assert capsys.readouterr().out.count(name) == 4
