"""Import, export and analysis of other people's results never load torch, nor anything as heavy."""

import subprocess
import sys

PROGRAM = """
import sys
import donorgrid.analyse, donorgrid.exchange
print(*sorted({"torch", "transformers", "peft", "datasets", "lm_eval"} & sys.modules.keys()))
"""


def test_the_rooms_import_without_torch():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
