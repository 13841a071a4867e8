"""Import, export and analysis of other people's results work where there is no torch."""

import subprocess
import sys

BLOCKED = """
import sys

class Without:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "transformers", "peft", "datasets", "lm_eval"):
            raise ImportError(f"{name} is not here")

sys.meta_path.insert(0, Without())
import donorgrid.analyse, donorgrid.exchange
"""


def test_the_rooms_import_without_torch():
    done = subprocess.run([sys.executable, "-c", BLOCKED], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
