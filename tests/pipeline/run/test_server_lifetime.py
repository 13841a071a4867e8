"""The server of the jobs knows whether its command is gone."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from donorgrid.pipeline.run import server_lifetime
from donorgrid.pipeline.run.server_lifetime import is_orphan


def test_the_pipe_closes_with_the_command() -> None:
    alive, command_end = os.pipe()
    words = ["python", "-c", f"from multiprocessing.forkserver import main; main(3, {alive}, ['a.b'], **{{}})"]
    assert not is_orphan(words)
    os.close(command_end)
    assert is_orphan(words)
    os.close(alive)


def test_other_command_lines_have_no_pipe() -> None:
    assert not is_orphan(["python", "-m", "donorgrid", "run", "main(x)"])


@pytest.mark.skipif(sys.platform != "linux", reason="jobs are forked off a server on Linux only")
def test_this_python_starts_its_server_with_the_pipe_as_second_argument() -> None:
    code = (
        "from multiprocessing import forkserver as f; f.ensure_running(); print(f._forkserver._forkserver_pid); input()"
    )
    command = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert command.stdout
    pid = int(command.stdout.readline())
    until, words = time.monotonic() + 20, [""]
    while not any(map(server_lifetime._ARGUMENTS.search, words)) and time.monotonic() < until:
        time.sleep(0.02)  # until the forked process has become the server
        words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    command.communicate("")
    assert any(map(server_lifetime._ARGUMENTS.search, words)), words
