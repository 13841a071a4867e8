"""The arguments of a chat template in a study."""

import pytest
from pydantic import ValidationError

from donorgrid.plan.scoring import Scoring


def test_enable_thinking_is_an_argument_of_the_template_as_in_lm_eval() -> None:
    short = Scoring.model_validate({"chat_template": True, "enable_thinking": False, "chat_template_args": {"x": 1}})
    assert short.chat_template_args == {"x": 1, "enable_thinking": False}
    assert Scoring.model_validate(short.model_dump()) == short
    assert Scoring().chat_template_args == {}


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"enable_thinking": False}, "no template reads them"),
        ({"chat_template": True, "chat_template_args": {"tokenize": True}}, "'tokenize' is no argument of a chat temp"),
        ({"chat_template": True, "chat_template_args": {"a b": 1}}, "'a b' is no argument"),
        ({"chat_template": True, "chat_template_args": ["x"]}, "valid dictionary"),
    ],
)
def test_what_no_template_can_read_is_refused(keys: dict, expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        Scoring.model_validate(keys)
