"""A model's tokenizer as it reads training texts and items, for ``tasks show``."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from donorgrid.core.errors import InputError
from donorgrid.core.records import Item, TextEncoding, TrainingText
from donorgrid.models.encoding.names import token_names
from donorgrid.models.folders import ModelFolder
from donorgrid.models.loading import load_tokenizer
from donorgrid.pipeline.prepare.inventory import model as model_folder
from donorgrid.pipeline.prepare.tokenizers import check_chat_template, max_input_length
from donorgrid.plan.presets import named_recipe
from donorgrid.plan.scoring import Scoring, template_arguments
from donorgrid.score.encode import chat_context, encode_context, encode_items
from donorgrid.tasks.validation.show import ShownItem, ShownText, TokenView
from donorgrid.train.encode import encode_texts


def view_of(
    model: str, *, recipe: str, chat_template: bool, arguments: list[str] | None
) -> Callable[[bool], TokenView]:
    """The view of a model's tokenizer, as the command line asks for it.

    Parameters
    ----------
    model : str
        A built-in name, a folder, or a hub ID.
    recipe : str
        The preset of a recipe, which says how training texts become tokens.
    chat_template : bool
        Whether texts and items are read under the chat template.
    arguments : list of str or None
        ``NAME=VALUE`` texts that the template reads.

    Returns
    -------
    callable
        Takes whether answers are generated.

    Raises
    ------
    InputError
        If the model, its chat template or the recipe is not there.
    """
    scoring = Scoring(chat_template=chat_template, chat_template_args=template_arguments(arguments) or {})
    fields = named_recipe(recipe)
    return partial(_token_view, model_folder(model), scoring, fields)


def _token_view(folder: ModelFolder, scoring: Scoring, fields: Mapping[str, Any], generates: bool) -> TokenView:
    tokenizer = load_tokenizer(folder)
    if scoring.chat_template:
        check_chat_template(folder, tokenizer)
    encoding = TextEncoding(
        tokenise=fields.get("tokenise", "joint"),
        append_eos=fields.get("append_eos"),
        template_args=scoring.chat_template_args if scoring.chat_template else None,
        max_length=max_input_length(folder, tokenizer),
    )

    def text_view(text: TrainingText) -> ShownText:
        (encoded,) = encode_texts([text], tokenizer, encoding)
        names = token_names(encoded.token_ids, tokenizer)
        return ShownText(way=encoding.way(text), tokens=names, supervised=encoded.supervised, n_cut=encoded.n_cut)

    def item_view(item: Item) -> ShownItem:
        return _generated(item, tokenizer, scoring) if generates else _scored(item, tokenizer, scoring)

    return TokenView(text=text_view, item=item_view)


def _scored(item: Item, tokenizer: Any, scoring: Scoring) -> ShownItem:
    encoded = encode_items(
        [item], tokenizer, chat_template=scoring.chat_template, chat_template_args=scoring.chat_template_args
    )
    if encoded.invalid:
        raise InputError(f"item '{item.id}' of '{item.cell}' cannot be scored: {encoded.invalid[0][1]}")
    (read,) = encoded.items
    return ShownItem(
        context=token_names(read.context, tokenizer),
        options=tuple(token_names(continuation, tokenizer) for continuation in read.continuations),
    )


def _generated(item: Item, tokenizer: Any, scoring: Scoring) -> ShownItem:
    context = item.context
    if scoring.chat_template:
        context = chat_context(item, tokenizer, scoring.chat_template_args)
    return ShownItem(context=token_names(encode_context(context, tokenizer), tokenizer))
