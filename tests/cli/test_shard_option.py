"""``--shard i/n``: from the first to the last one, and nothing else."""

import pytest

from donorgrid.cli.options import shard
from donorgrid.core.errors import InputError


def test_shards_are_counted_from_one() -> None:
    assert shard("1/3") == (1, 3)
    assert shard("3/3") == (3, 3)
    assert shard(None) is None


@pytest.mark.parametrize("text", ["0/3", "4/3", "1/0", "1", "a/3", "-1/3", "1/3/5"])
def test_what_is_no_shard_is_one_line(text: str) -> None:
    with pytest.raises(InputError, match="expected i/n"):
        shard(text)
