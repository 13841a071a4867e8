"""The arguments of a chat template in a check: flags and keys of a file."""

from pathlib import Path

import pytest

from donorgrid.core.errors import InputError
from donorgrid.pipeline.check.command_line import check_from_flags

FLAGS = {"base": "pocket", "adapters": ["a"], "guard": ["x.jsonl"], "chat_template": True}


def test_values_of_flags_are_json_or_text_and_win_over_the_file(tmp_path: Path) -> None:
    given = ["enable_thinking=False", "tone=curt", "level=2"]
    flags = {**FLAGS, "chat_template_args": given}
    assert check_from_flags(flags, None).request.chat_template_args == {
        "enable_thinking": False, "tone": "curt", "level": 2,
    }  # fmt: skip
    (tmp_path / "check.yaml").write_text("enable_thinking: false\nchat_template_args: {tone: kind}\n")
    written = check_from_flags(FLAGS, tmp_path / "check.yaml").request.chat_template_args
    assert written == {"enable_thinking": False, "tone": "kind"}
    assert "tone" in check_from_flags(flags, tmp_path / "check.yaml").request.chat_template_args
    assert check_from_flags(FLAGS, None).request.chat_template_args == {}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"chat_template_args": ["thinking"]}, "expected NAME=VALUE, such as enable_thinking=false"),
        ({"chat_template_args": ["tokenize=true"]}, "'tokenize' is no argument of a chat template"),
        ({"chat_template_args": ["x=1"], "chat_template": None}, "no template reads them"),
    ],
)
def test_other_arguments_are_one_line(changes: dict, expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        check_from_flags({**FLAGS, **changes}, None)
