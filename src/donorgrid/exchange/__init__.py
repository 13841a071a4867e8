"""Other people's results in, donorgrid's results out. Imports without torch.

In: ``import_lm_eval`` reads lm-eval's outputs, ``import_table`` result tables; both give plain records that the
analysis takes. Out: ``export_table``, ``export_adapter``, ``export_training`` (for other trainers) and
``export_lm_eval_task``.
"""

from donorgrid.exchange.adapters import export_adapter
from donorgrid.exchange.cards import AdapterCard, card_text
from donorgrid.exchange.draft import draft_mapping
from donorgrid.exchange.folders import is_import, read_import, write_import
from donorgrid.exchange.lm_eval.export import export_lm_eval_task
from donorgrid.exchange.lm_eval.outputs import import_lm_eval
from donorgrid.exchange.records import ImportedAnswers, ImportedSubject, ImportedTable
from donorgrid.exchange.table_export import export_table
from donorgrid.exchange.tables import import_table
from donorgrid.exchange.trainers import TRAINERS
from donorgrid.exchange.training_export import export_training
from donorgrid.exchange.training_jobs import TrainingJob

__all__ = [
    "TRAINERS",
    "AdapterCard",
    "ImportedAnswers",
    "ImportedSubject",
    "ImportedTable",
    "TrainingJob",
    "card_text",
    "draft_mapping",
    "export_adapter",
    "export_lm_eval_task",
    "export_table",
    "export_training",
    "import_lm_eval",
    "import_table",
    "is_import",
    "read_import",
    "write_import",
]
