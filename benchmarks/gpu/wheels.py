"""Downloads the wheels that `benchmarks/gpu/run.py` needs beside torch, transformers and peft: `make gpu-wheels`.

    python benchmarks/gpu/wheels.py --to gpu-wheels [--python 3.12]

For Linux on x86-64. It fails if they are larger than what may be carried to the machine (48 MiB).
"""

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
LIMIT_BYTES = 48 * 2**20
# pip matches each of these names exactly.
_PLATFORMS = [f"manylinux_2_{minor}_x86_64" for minor in (5, 12, 17, 24, 27, 28, 31, 34)]
_PLATFORMS += ["manylinux1_x86_64", "manylinux2010_x86_64", "manylinux2014_x86_64", "any"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, required=True, help="folder of the wheels")
    parser.add_argument("--python", default="3.12", help="Python of the machine with the GPU")
    given = parser.parse_args()
    given.to.mkdir(parents=True, exist_ok=True)
    for wheel in given.to.glob("*.whl"):
        wheel.unlink()
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    command += ["--implementation", "cp", "--python-version", given.python, "--dest", str(given.to)]
    for platform in _PLATFORMS:
        command += ["--platform", platform]
    subprocess.run([*command, *requirements()], check=True)
    print(check_size(given.to))


def requirements() -> list[str]:
    """The packages of wheels.txt, each with its version in constraints.txt."""
    lines = (HERE.parents[1] / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {_normal(line.partition("==")[0]): line for line in lines if "==" in line}
    names = [line for line in (HERE / "wheels.txt").read_text(encoding="utf-8").splitlines() if line[:1] not in "#"]
    return [pinned[_normal(name)] for name in names]


def check_size(folder: Path) -> str:
    """What a folder of wheels holds; ends the program if it is too large."""
    sizes = {wheel.name: wheel.stat().st_size for wheel in folder.glob("*.whl")}
    total = sum(sizes.values())
    found = f"{folder}: {len(sizes)} wheels, {total / 2**20:.1f} of {LIMIT_BYTES / 2**20:.0f} MiB"
    if total > LIMIT_BYTES:
        largest = sorted(sizes, key=lambda name: -sizes[name])[:3]
        listed = ", ".join(f"{name} ({sizes[name] / 2**20:.1f} MiB)" for name in largest)
        raise SystemExit(f"{found}: too large to carry; the largest are {listed}")
    return found


def _normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


if __name__ == "__main__":
    main()
