"""Work in parts on several threads is the same work."""

from collections.abc import Iterator

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from donorgrid.models.fast_cpu import threads as parts
from donorgrid.models.fast_cpu.attention import Attention, Heads, Rows
from donorgrid.models.fast_cpu.elementwise import rms_norm
from donorgrid.models.rows import packed_row, pad_rows


@pytest.fixture
def three_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    monkeypatch.setattr(parts, "_WORTH_A_THREAD", 1)
    yield
    torch.set_num_threads(before)


@given(n=st.integers(0, 20), threads=st.integers(1, 5), n_numbers=st.integers(0, 10**7))
def test_parts_make_up_the_whole_in_no_more_than_pays(n: int, threads: int, n_numbers: int) -> None:
    done: list[tuple[int, int]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "get_num_threads", lambda: threads)
        parts.run_in_threads(lambda start, stop: done.append((start, stop)), n, n_numbers=n_numbers)
    assert sorted(one for start, stop in done for one in range(start, stop)) == list(range(n))
    assert len(done) <= max(1, min(threads, n_numbers / 2**19))


@pytest.mark.usefixtures("three_threads")
def test_failure_of_any_part_is_raised() -> None:
    def fail(start: int, _: int) -> None:
        if start:
            raise ValueError("part")

    with pytest.raises(ValueError, match="part"):
        parts.run_in_threads(fail, 3, n_numbers=3)


@pytest.mark.parametrize("n_common", [0, 1, 6])
def test_several_threads_change_no_bit(three_threads: None, monkeypatch: pytest.MonkeyPatch, n_common: int) -> None:
    heads = Heads(n=4, n_shared=2, size=8, scale=0.3)
    texts = [(*range(n_common), *(100 * length + place for place in range(length))) for length in (5, 9, 2, 17)]
    batch = pad_rows([packed_row([text]) for text in texts])
    assert Rows(batch).n_common == n_common
    qkv, slope = torch.randn(33 + n_common, 64), torch.randn(33 + n_common, 32)

    def results() -> list[torch.Tensor]:
        one = Attention(heads, Rows(batch), None)
        found = one.forward(qkv.clone(), remember=True)
        return [found, one.backward(slope), *rms_norm(qkv, torch.ones(64), 1e-5)]

    together = results()
    monkeypatch.setattr(parts, "_WORTH_A_THREAD", 10**9)
    for one, other in zip(together, results(), strict=True):
        assert torch.equal(one, other)
