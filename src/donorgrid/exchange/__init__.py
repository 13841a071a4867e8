"""Other people's results in, donorgrid's results out. Imports without torch.

``import_lm_eval`` reads lm-eval's outputs, ``import_table`` result tables; both give plain records that the analysis
takes.
"""

from donorgrid.exchange.draft import draft_mapping
from donorgrid.exchange.folders import is_import, read_import, write_import
from donorgrid.exchange.lm_eval import import_lm_eval
from donorgrid.exchange.records import ImportedAnswers, ImportedSubject, ImportedTable
from donorgrid.exchange.tables import import_table

__all__ = [
    "ImportedAnswers",
    "ImportedSubject",
    "ImportedTable",
    "draft_mapping",
    "import_lm_eval",
    "import_table",
    "is_import",
    "read_import",
    "write_import",
]
