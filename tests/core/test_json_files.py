"""A JSON file of others that cannot be used is one line with its path."""

from pathlib import Path

import pytest

from donorgrid.core.errors import InputError
from donorgrid.core.json_files import read_json_object


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "Expecting property name"),
        (b"[" * 5000, "it is nested too deep"),
        (b"\xff", "can't decode byte 0xff"),
        (b"[1]", "it is no JSON object"),
        (b'{"a": ' + b"9" * 5000 + b"}", "Exceeds the limit"),
        (None, "No such file or directory"),
    ],
)
def test_what_is_no_object_is_one_line(tmp_path: Path, content: bytes | None, reason: str) -> None:
    file = tmp_path / "x.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InputError) as error:
        read_json_object(file, what="a list of shoes")
    assert str(error.value).startswith(f"{file}: cannot be read as a list of shoes: ")
    assert reason in str(error.value)
    assert "\n" not in str(error.value)


def test_a_device_is_no_file() -> None:
    with pytest.raises(InputError, match="/dev/zero: it is a device, not a file"):
        read_json_object(Path("/dev/zero"))
