"""Solved items of lm-eval's tasks as few-shot examples, written by its own code."""

from typing import Any

from donorgrid.core.records import Example
from donorgrid.tasks.lm_eval.cells import loaded_tasks
from donorgrid.tasks.task_files.task_file import TaskFile


def load_lm_eval_examples(task: TaskFile, language: str, *, registry: Any = None) -> tuple[Example, ...]:
    """List what lm-eval would show as examples, from the training split if lm-eval would take the scored one.

    Parameters
    ----------
    task, language
        The cell.
    registry
        An ``lm_eval.tasks.TaskManager``; by default that of the installed tasks.

    Returns
    -------
    tuple of Example
        The ID is the row number, after the subtask's name in a group.

    Raises
    ------
    InputError
        If lm-eval is not installed or cannot load the task.
    """
    examples: list[Example] = []
    for prefix, lm_task in loaded_tasks(task, language, registry).items():
        split = lm_task.fewshot_cfg.split
        scored = lm_task.config.test_split or lm_task.config.validation_split
        has_examples = lm_task.fewshot_cfg.samples is not None if split is None else split != scored
        test_questions = {str(lm_task.doc_to_text(document)) for document in lm_task.eval_docs}
        pool = lm_task.fewshot_docs() if has_examples else _training_documents(lm_task)
        examples += [
            Example(id=f"{prefix}{row}", text=_shot(lm_task, document))
            for row, document in enumerate(pool)
            if str(lm_task.doc_to_text(document)) not in test_questions
        ]
    return tuple(examples)


def _training_documents(lm_task: Any) -> Any:
    return lm_task.training_docs() if lm_task.has_training_docs() else ()


def _shot(lm_task: Any, document: dict[str, Any]) -> str:
    """A document as lm-eval's ``fewshot_context`` writes an example."""
    config = lm_task.fewshot_cfg
    turn = lm_task.build_qa_turn(
        q=lm_task.doc_to_text(document, config.doc_to_text),
        c=lm_task.doc_to_choice(document, config.doc_to_choice) if config.doc_to_choice else None,
        a=lm_task.doc_to_target(document, config.doc_to_target),
        gen_prefix=lm_task.resolve_field(document, config.gen_prefix),
        tgt_delim=config.target_delimiter,
        few_delim=config.fewshot_delimiter,
    )
    return "".join(message.to_text() for message in turn)
