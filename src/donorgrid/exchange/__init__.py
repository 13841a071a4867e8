"""Other people's results in, donorgrid's results out. Imports without torch.

``import_lm_eval`` reads lm-eval's outputs, ``import_table`` result tables; both give plain records that the analysis
takes.
"""

from donorgrid.exchange.draft import draft_mapping
from donorgrid.exchange.folders import is_import, read_import, write_import
from donorgrid.exchange.lm_eval import import_lm_eval
from donorgrid.exchange.records import ImportedAnswers, ImportedSubject, ImportedTable
from donorgrid.exchange.tables import import_table
from donorgrid.exchange.training_export import export_training
from donorgrid.exchange.training_jobs import TrainingJob

__all__ = [
    "ImportedAnswers",
    "ImportedSubject",
    "ImportedTable",
    "TrainingJob",
    "draft_mapping",
    "export_training",
    "import_lm_eval",
    "import_table",
    "is_import",
    "read_import",
    "write_import",
]
