"""Task files to items and training texts: lm-eval's YAML read natively, plain data files, and a catalog.

``find_task`` finds a task by its name or path, ``load_cell`` reads one language of it, ``validate_task`` all of them;
``show_cell`` prints one item as text.
"""

from donorgrid.tasks.cells import generation_rules, load_cell
from donorgrid.tasks.documents.read import DocumentSource
from donorgrid.tasks.find import catalog_names, find_task
from donorgrid.tasks.items.generation import GenerationRules
from donorgrid.tasks.prompts.solved_examples import draw_examples, load_examples, with_examples
from donorgrid.tasks.task_files.task_file import TaskFile
from donorgrid.tasks.validation.alignment import Alignment, align
from donorgrid.tasks.validation.show import show_cell
from donorgrid.tasks.validation.validate import TaskReport, validate_task

__all__ = [
    "Alignment",
    "DocumentSource",
    "GenerationRules",
    "TaskFile",
    "TaskReport",
    "align",
    "catalog_names",
    "draw_examples",
    "find_task",
    "generation_rules",
    "load_cell",
    "load_examples",
    "show_cell",
    "validate_task",
    "with_examples",
]
