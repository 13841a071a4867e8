"""Sources that are no plain cell: mixes and controls, over all their targets."""

from donorgrid.analyse.tables.groups import summarise
from donorgrid.analyse.tables.making import TableMaker
from donorgrid.core.tables import MIXES_CONTROLS

_BY = ["model", "source_name", "source_kind"]

TABLES = (TableMaker({"mixes_controls": MIXES_CONTROLS}, lambda arm: (summarise(arm.others, _BY, arm.settings),)),)
