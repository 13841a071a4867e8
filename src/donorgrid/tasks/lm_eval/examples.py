"""Solved items of lm-eval's own tasks, by its own code (extra ``donorgrid[lm-eval]``)."""

from typing import Any

from donorgrid.core.records import Example
from donorgrid.tasks.lm_eval.cells import loaded_tasks
from donorgrid.tasks.task_files.task_file import TaskFile


def load_lm_eval_examples(task: TaskFile, language: str, *, manager: Any = None) -> tuple[Example, ...]:
    """What lm-eval would show as examples, but never the split that is scored: then the training split."""
    found: list[Example] = []
    for prefix, one in loaded_tasks(task, language, manager).items():
        split = one.fewshot_cfg.split
        scored = one.config.test_split or one.config.validation_split
        own = one.fewshot_cfg.samples is not None if split is None else split != scored
        asked = {str(one.doc_to_text(document)) for document in one.eval_docs}
        pool = one.fewshot_docs() if own else one.training_docs() if one.has_training_docs() else ()
        found += [
            Example(id=f"{prefix}{row}", text=_shot(one, document))
            for row, document in enumerate(pool)
            if str(one.doc_to_text(document)) not in asked
        ]
    return tuple(found)


def _shot(one: Any, document: dict[str, Any]) -> str:
    """One document as lm-eval's ``fewshot_context`` writes an example."""
    own = one.fewshot_cfg
    turn = one.build_qa_turn(
        q=one.doc_to_text(document, own.doc_to_text),
        c=one.doc_to_choice(document, own.doc_to_choice) if own.doc_to_choice else None,
        a=one.doc_to_target(document, own.doc_to_target),
        gen_prefix=one.resolve_field(document, own.gen_prefix),
        tgt_delim=own.target_delimiter,
        few_delim=own.fewshot_delimiter,
    )
    return "".join(message.to_text() for message in turn)
