"""Task files to items and training texts: lm-eval's YAML read natively, plain data files, and a catalog.

``find_task`` finds a task by its name or path, ``load_cell`` reads one language of it.
"""

from donorgrid.tasks.cells import load_cell
from donorgrid.tasks.documents import DocumentSource
from donorgrid.tasks.find import catalog_names, find_task
from donorgrid.tasks.task_file import TaskFile

__all__ = ["DocumentSource", "TaskFile", "catalog_names", "find_task", "load_cell"]
