"""Compiled functions: a process that compiles them computes the same bits as one that loads what was kept."""

import os
import subprocess
import sys
from pathlib import Path

_PROGRAM = """
import hashlib
import torch
from donorgrid.models.fast_cpu.attention import Attention, Heads, Rows
from donorgrid.models.fast_cpu.elementwise import gated, gated_backward, logsumexp_rows, rms_norm
from donorgrid.models.rows import pad_rows, packed_row
torch.manual_seed(0)
torch.set_num_threads(1)
batch = pad_rows([packed_row([(1, *range(3, 3 + n))]) for n in (9, 30, 47)])
attention = Attention(Heads(n=4, n_shared=2, size=16, scale=0.25), Rows(batch), None)
qkv = torch.randn(int(Rows(batch).starts[-1]), 128)
found = [attention.forward(qkv, remember=True), attention.backward(torch.randn(len(qkv), 64))]
both = torch.randn(40, 96)
found += [logsumexp_rows(both), *rms_norm(both, torch.rand(96), 1e-6), gated(both)]
found.append(gated_backward(torch.randn(40, 48), both))
print(hashlib.sha256(b"".join(one.numpy().tobytes() for one in found)).hexdigest())
"""


def test_compiled_and_loaded_functions_give_the_same_bits(tmp_path: Path) -> None:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    digests = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM], env=environment, capture_output=True, text=True, check=True
        )
        digests.append(done.stdout)
        assert list(tmp_path.rglob("*.nbi")), "nothing was kept"
    assert digests[0] == digests[1]
