"""The questions have the lengths that the estimate speaks of; text and tokens are the same."""

import pytest
from gpu_kit.shapes import SHAPES, make_network, n_layer_weights, tiny
from gpu_kit.work import TASKS, encoded_items, encoded_texts, questions, word_tokenizer

from donorgrid.score.encode import encode_items


def test_44_targets_need_4_5_million_tokens_and_a_training_135_thousand() -> None:
    needed = trained = 0
    for task in TASKS:
        for question in questions(task, 400, n_words=20_000):
            needed += len(question.context) + sum(map(len, question.options))
        trained += sum(len(text.token_ids) for text in encoded_texts(task, 270, n_words=20_000))
    assert 11 * needed == pytest.approx(4.5e6, rel=0.02)
    assert 3 * trained / 4 == pytest.approx(135e3, rel=0.02)


@pytest.mark.parametrize("adds_bos", [True, False])
def test_tokens_are_what_the_tokenizer_makes_of_the_text(adds_bos: bool) -> None:
    tokenizer = word_tokenizer(500, adds_bos=adds_bos)
    items = encoded_items("hellaswag", questions("hellaswag", 3, n_words=500), first=(0,) if adds_bos else ())
    again = encode_items([item.item for item in items], tokenizer, chat_template=False).items
    assert [(item.context, item.continuations) for item in again] == [
        (item.context, item.continuations) for item in items
    ]


def test_items_of_truthfulqa_share_their_preamble() -> None:
    first, second = questions("truthfulqa", 2, n_words=500)
    assert first.context[:300] == second.context[:300]
    assert first.context[300:] != second.context[300:]


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_have_the_size_that_their_name_says(name: str) -> None:
    """Weights of the layers and of the embeddings, counted without making them."""
    import torch

    network = make_network(SHAPES[name], dtype=torch.bfloat16, device="meta")
    n_embeddings = network.get_input_embeddings().weight.numel()
    tied = network.config.tie_word_embeddings
    total = n_layer_weights(network) + n_embeddings * (1 if tied else 2)
    published = {"qwen2.5-0.5b": 494e6, "llama-3.2-1b": 1236e6, "gemma-3-1b": 1000e6}
    published |= {"llama-3.2-3b": 3213e6, "llama-3.1-8b": 8030e6}
    assert total == pytest.approx(published[name], rel=0.002)
    assert make_network(tiny(SHAPES[name]), dtype=torch.float32, device="cpu").config.model_type == (
        network.config.model_type
    )
