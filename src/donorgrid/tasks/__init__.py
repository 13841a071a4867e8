"""Task files become test items and training texts, one language at a time.

1. ``find`` takes a name (catalog, file, ``lm_eval:NAME``) to a ``TaskFile``: for each language its checked keys
   (``task_files/``: lm-eval's YAML read natively, or a plain data file; ``catalog/``: the shipped task files).
2. ``cells`` reads one language: ``documents/`` gives the rows of its splits, each with an ID, from local files, the hub
   or a reader of the caller; a benchmark without a training split may hold out a part of its test.
3. ``prompts/`` fills the templates from a document and joins description, few-shot examples and question.
4. ``items/`` makes a test item (context, choices, answer) or a training text (prompt, target) of a document; one that
   cannot be used is counted with its reason. It also says how generated answers end and are judged.
5. ``lm_eval/`` does steps 2 to 4 with lm-eval's own code; ``validation/`` says what a study would get from a task.
"""

from donorgrid.tasks.cells import generation_rules, load_cell
from donorgrid.tasks.documents.read import DocumentSource
from donorgrid.tasks.find import catalog_names, find_task
from donorgrid.tasks.items.draws import draw_items, one_class_notes, one_class_reasons
from donorgrid.tasks.items.generation import GenerationRules
from donorgrid.tasks.prompts.solved_examples import draw_examples, load_examples, with_examples
from donorgrid.tasks.task_files.task_file import TaskFile
from donorgrid.tasks.validation.alignment import Alignment, align
from donorgrid.tasks.validation.shared_texts import shared_items, shared_notes
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
    "draw_items",
    "find_task",
    "generation_rules",
    "load_cell",
    "load_examples",
    "one_class_notes",
    "one_class_reasons",
    "shared_items",
    "shared_notes",
    "show_cell",
    "validate_task",
    "with_examples",
]
