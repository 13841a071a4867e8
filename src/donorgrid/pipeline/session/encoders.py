"""A model's tokenizer as a plain function."""

from collections.abc import Sequence

from donorgrid.models.loading import load_tokenizer
from donorgrid.pipeline.prepare.inventory import model
from donorgrid.tasks.validation.show import Encode


def text_encoder(model_id: str) -> Encode:
    """(text, with special tokens?) to token ids, by the tokenizer of a model."""
    tokenizer = load_tokenizer(model(model_id))

    def encode(text: str, special: bool) -> Sequence[int]:
        ids: Sequence[int] = tokenizer(text, add_special_tokens=special)["input_ids"]
        return ids

    return encode
