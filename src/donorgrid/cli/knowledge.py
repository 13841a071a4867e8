"""The subcommand that brings other models' tables, for advice on a new one."""

from typing import Annotated

import typer

from donorgrid import pipeline
from donorgrid.cli.show import make_console

console = make_console()


def fetch_knowledge(
    name: Annotated[str, typer.Argument(help="which table: release, nine models on four tasks in eleven languages")],
) -> None:
    """Bring a released table of other models into a cache folder, for 'recommend --knowledge NAME'."""
    file = pipeline.advise.released_knowledge.fetch_knowledge(name)
    console.print(f"{file}: {pipeline.advise.released_knowledge.TABLES[name].licence}", soft_wrap=True)
    console.print(f"next: donorgrid recommend --knowledge {name} --for TASK/LANGUAGE", soft_wrap=True)
