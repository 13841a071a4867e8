"""How the training texts of a study become tokens, by recipe. No torch."""

from collections.abc import Iterable

from donorgrid.core.records import Recipe, TextEncoding, TrainingText
from donorgrid.plan.study import Study


def text_encoding(study: Study, recipe: Recipe, max_length: int | None) -> TextEncoding:
    """How a recipe's texts become tokens in a study.

    Parameters
    ----------
    study : Study
        Its scoring says whether there is a chat template.
    recipe : Recipe
        A recipe of the study.
    max_length : int or None
        The most tokens that the model reads; None: any number.

    Returns
    -------
    TextEncoding
    """
    scoring = study.scoring
    return TextEncoding(
        tokenise=recipe.tokenise,
        append_eos=recipe.append_eos,
        template_args=dict(scoring.chat_template_args) if scoring.chat_template else None,
        max_length=max_length,
    )


def template_key(study: Study, recipe: Recipe, texts: Iterable[TrainingText]) -> dict[str, object]:
    """What a training depends on besides its recipe and texts: the chat template, where one of the texts is read in it.

    Parameters
    ----------
    study : Study
        The study.
    recipe : Recipe
        One of its recipes.
    texts : iterable of TrainingText
        The texts of the source's cells.

    Returns
    -------
    dict
        Empty if the template makes no difference.
    """
    encoding = text_encoding(study, recipe, max_length=None)
    is_read = any(encoding.reads_template(text) for text in texts)
    return {"chat_template": dict(encoding.template_args or {})} if is_read else {}
