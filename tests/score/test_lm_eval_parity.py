"""Scores against lm-eval's own, on tiny checkpoints of real architectures."""

from pathlib import Path

import pytest
from transformers import AutoTokenizer

from donorgrid.core.errors import InputError
from donorgrid.core.records import Item
from donorgrid.models.folders import find_model
from donorgrid.models.loading import Base, load_base
from donorgrid.plan.scoring import Scoring
from donorgrid.score.answers import item_answers
from donorgrid.score.encode import encode_items
from donorgrid.score.plain import score_options
from donorgrid.tasks import find_task, load_cell
from lm_eval_side import lm_eval_answers
from worlds import give_chat_template, make_checkpoint

pytestmark = pytest.mark.filterwarnings("default")


def base_at(folder: Path) -> Base:
    files = find_model(folder.name, revision=None, folder=folder.parent, built_in={})
    return load_base(files, precision="fp32", device="cpu")


def assert_same(
    base: Base, items: tuple[Item, ...], theirs: list[dict], *, chat: bool, arguments: dict | None = None
) -> None:
    encoded = encode_items(items, base.tokenizer, chat_template=chat, chat_template_args=arguments or {})
    ours = score_options(base.network, encoded.items, max_length=256)
    answers = item_answers(encoded.items, ours, norm=True)
    assert len(theirs) == len(ours) == 12
    for row, nats, their in zip(answers.iter_rows(named=True), ours, theirs, strict=True):
        assert nats == pytest.approx([float(pair[0]) for pair in their["filtered_resps"]], abs=1e-4)
        assert row["correct"] == bool(their["acc"])
        assert row["correct_norm"] == bool(their["acc_norm"])


@pytest.mark.parametrize("kind", ["llama", "qwen2", "gemma3"])
def test_scores_and_choices_equal_lm_evals(world: Path, kind: str) -> None:
    test = load_cell(find_task("colours.yaml", folder=world), "de", sources={}).test
    theirs = lm_eval_answers(world / kind, world / "colours-de-test.jsonl")
    assert_same(base_at(world / kind), test, theirs, chat=False)


@pytest.fixture(scope="module")
def chatty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return give_chat_template(make_checkpoint("llama", tmp_path_factory.mktemp("chatty") / "model"))


TASK_KEYS = [
    {},
    {"description": "Answer well. ", "gen_prefix": "The answer:"},
    {"gen_prefix": "The answer: ", "target_delimiter": "\n"},
]


@pytest.mark.parametrize("keys", TASK_KEYS, ids=["plain", "opened answer", "opened with a space"])
def test_chat_template_is_applied_as_lm_eval_applies_it(world: Path, chatty: Path, keys: dict) -> None:
    task = world / "chat.yaml"
    task.write_text(
        (world / "colours.yaml").read_text() + "".join(f"{key}: {value!r}\n" for key, value in keys.items())
    )
    test = load_cell(find_task("chat.yaml", folder=world), "it", sources={}).test
    theirs = lm_eval_answers(chatty, world / "colours-it-test.jsonl", chat=True, **keys)
    assert_same(base_at(chatty), test, theirs, chat=True)


def test_refused_system_message_is_left_out_as_lm_eval_does(world: Path, tmp_path: Path) -> None:
    stern = give_chat_template(make_checkpoint("llama", tmp_path / "stern"), refuses_system=True)
    keys = {"description": "Answer well. "}
    task = world / "stern.yaml"
    task.write_text((world / "colours.yaml").read_text() + "description: 'Answer well. '\n")
    test = load_cell(find_task("stern.yaml", folder=world), "en", sources={}).test
    theirs = lm_eval_answers(stern, world / "colours-en-test.jsonl", chat=True, **keys)
    assert_same(base_at(stern), test, theirs, chat=True)


@pytest.mark.parametrize(
    ("written", "model_args"),
    [
        ({"enable_thinking": False}, {"enable_thinking": False}),
        ({"chat_template_args": {"tone": "curt", "enable_thinking": False}},
         {"chat_template_args": {"tone": "curt"}, "enable_thinking": False}),
    ],
)  # fmt: skip
def test_arguments_of_a_chat_template_are_passed_as_lm_eval_passes_them(
    world: Path, tmp_path: Path, written: dict, model_args: dict
) -> None:
    thinking = give_chat_template(make_checkpoint("llama", tmp_path / "thinking"))
    tokenizer = AutoTokenizer.from_pretrained(thinking)
    tokenizer.chat_template += "{% if enable_thinking is defined and not enable_thinking %}blue{% endif %}{{ tone }}"
    tokenizer.save_pretrained(thinking)
    scoring = Scoring.model_validate({"chat_template": True, **written})
    test = load_cell(find_task("colours.yaml", folder=world), "it", sources={}).test
    theirs = lm_eval_answers(thinking, world / "colours-it-test.jsonl", chat=True, model=model_args)
    base = base_at(thinking)
    assert_same(base, test, theirs, chat=True, arguments=scoring.chat_template_args)
    plain, asked = (
        encode_items(test, base.tokenizer, chat_template=True, chat_template_args=arguments).items[0].context
        for arguments in ({}, scoring.chat_template_args)
    )
    assert plain != asked


def test_tokenizer_without_a_chat_template_is_one_line(world: Path) -> None:
    test = load_cell(find_task("colours.yaml", folder=world), "en", sources={}).test
    with pytest.raises(InputError, match=r"^[^\n]*no chat template; set scoring.chat_template: false$"):
        encode_items(test, base_at(world / "llama").tokenizer, chat_template=True)
