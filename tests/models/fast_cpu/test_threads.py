"""Work on ranges of rows in several threads gives the same as in one."""

from collections.abc import Iterator

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from donorgrid.models.fast_cpu import threads
from donorgrid.models.fast_cpu.attention import Attention, HeadLayout
from donorgrid.models.fast_cpu.norms import rms_norm
from donorgrid.models.fast_cpu.unpadded_rows import UnpaddedRows
from donorgrid.models.rows import packed_row, pad_rows


@pytest.fixture
def three_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    n_threads = torch.get_num_threads()
    torch.set_num_threads(3)
    monkeypatch.setattr(threads, "_NUMBERS_PER_THREAD", 1)
    yield
    torch.set_num_threads(n_threads)


@given(n=st.integers(0, 20), n_threads=st.integers(1, 5), n_numbers=st.integers(0, 10**7))
def test_ranges_cover_everything_in_no_more_threads_than_pay_off(n: int, n_threads: int, n_numbers: int) -> None:
    ranges: list[tuple[int, int]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "get_num_threads", lambda: n_threads)
        threads.run_in_threads(lambda start, stop: ranges.append((start, stop)), n, n_numbers=n_numbers)
    assert sorted(index for start, stop in ranges for index in range(start, stop)) == list(range(n))
    assert len(ranges) <= max(1, min(n_threads, n_numbers / 2**19))


@pytest.mark.usefixtures("three_threads")
def test_failure_in_any_thread_is_raised() -> None:
    def fail(start: int, _: int) -> None:
        if start:
            raise ValueError("second range")

    with pytest.raises(ValueError, match="second range"):
        threads.run_in_threads(fail, 3, n_numbers=3)


@pytest.mark.parametrize("shared_prefix_length", [0, 1, 6])
def test_several_threads_change_no_bit(
    three_threads: None, monkeypatch: pytest.MonkeyPatch, shared_prefix_length: int
) -> None:
    layout = HeadLayout(n_query_heads=4, n_kv_heads=2, head_dim=8, scaling=0.3)
    texts = [(*range(shared_prefix_length), *(100 * n + index for index in range(n))) for n in (5, 9, 2, 17)]
    batch = pad_rows([packed_row([text]) for text in texts])
    assert UnpaddedRows(batch).shared_prefix_length == shared_prefix_length
    qkv, grad_output = torch.randn(33 + shared_prefix_length, 64), torch.randn(33 + shared_prefix_length, 32)

    def results() -> list[torch.Tensor]:
        attention = Attention(layout, UnpaddedRows(batch), None)
        output = attention.forward(qkv.clone(), save_for_backward=True)
        return [output, attention.backward(grad_output), *rms_norm(qkv, torch.ones(64), 1e-5)]

    in_three_threads = results()
    monkeypatch.setattr(threads, "_NUMBERS_PER_THREAD", 10**9)
    for in_three, in_one in zip(in_three_threads, results(), strict=True):
        assert torch.equal(in_three, in_one)
