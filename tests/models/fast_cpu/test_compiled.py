"""Compiled functions: the exponential, and the same bits whether they were compiled or loaded from disk."""

import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from donorgrid.models.fast_cpu.compiled import exponential

_PROGRAM = """
import hashlib
import torch
from donorgrid.models.fast_cpu.activations import GATED_ACTIVATIONS, logsumexp_rows
from donorgrid.models.fast_cpu.attention import Attention, HeadLayout
from donorgrid.models.fast_cpu.norms import rms_norm
from donorgrid.models.fast_cpu.unpadded_rows import UnpaddedRows
from donorgrid.models.rows import pad_rows, packed_row
torch.manual_seed(0)
torch.set_num_threads(1)
rows = UnpaddedRows(pad_rows([packed_row([(1, *range(3, 3 + n))]) for n in (9, 30, 47)]))
layout = HeadLayout(n_query_heads=4, n_kv_heads=2, head_dim=16, scaling=0.25)
attention = Attention(layout, rows, None)
qkv, gate_up = torch.randn(rows.n_tokens, 128), torch.randn(40, 96)
results = [attention.forward(qkv, save_for_backward=True), attention.backward(torch.randn(len(qkv), 64))]
results += [logsumexp_rows(gate_up), *rms_norm(gate_up, torch.rand(96), 1e-6)]
for name in ("SiLU", "GELUTanh"):
    results.append(GATED_ACTIVATIONS[name].forward(gate_up))
    results.append(GATED_ACTIVATIONS[name].backward(torch.randn(40, 48), gate_up.clone()))
print(hashlib.sha256(b"".join(result.numpy().tobytes() for result in results)).hexdigest())
"""


def test_compiled_and_loaded_functions_give_the_same_bits(tmp_path: Path) -> None:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    digests = []
    for _ in range(2):
        completed = subprocess.run(
            [sys.executable, "-c", _PROGRAM], env=environment, capture_output=True, text=True, check=True
        )
        digests.append(completed.stdout)
        assert list(tmp_path.rglob("*.nbi")), "nothing was kept on disk"
    assert digests[0] == digests[1]


@given(st.floats(-80, 80, width=32))
def test_exponential_is_within_rounding(x: float) -> None:
    assert exponential(np.float32(x)) == pytest.approx(math.exp(np.float32(x)), rel=3e-7)


def test_exponential_outside_its_range() -> None:
    assert exponential(np.float32(-80.5)) == 0.0
    assert exponential(np.float32(-math.inf)) == 0.0
    assert exponential(np.float32(200.0)) == exponential(np.float32(80.0)) > 1e34
    assert math.isnan(exponential(np.float32(math.nan)))
