"""
Runs of pyinfra's command line, each forked from a process that has imported what every run imports: importing takes
longer than most runs.
"""

from __future__ import annotations

import atexit
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import CompletedProcess

ROOT = Path(__file__).resolve().parents[1]

# Servers that wait for a run, by what they have imported. Each does one run at a time; a second thread gets another.
_idle: dict[tuple[str, ...], list[subprocess.Popen[str]]] = {}


def pyinfra(
    arguments: Sequence[str],
    *,
    imported: tuple[str, ...],
    directory: Path,
    environment: Mapping[str, str],
    seconds: int,
) -> CompletedProcess[str]:
    """
    Run pyinfra in `directory`, with nobody to answer its questions.

    imported: modules that each such run imports. seconds: a run that takes longer is ended by SIGALRM, which is then
    its exit code, as a negative number.
    """
    idle = _idle.setdefault(imported, [])
    server = idle.pop() if idle else _server(imported)
    assert server.stdin and server.stdout
    with tempfile.NamedTemporaryFile() as stdout, tempfile.NamedTemporaryFile() as stderr:
        run = {
            "arguments": list(arguments),
            "directory": str(directory),
            "environment": dict(environment),
            "seconds": seconds,
            "stdout": stdout.name,
            "stderr": stderr.name,
        }
        print(json.dumps(run), file=server.stdin, flush=True)
        answer = server.stdout.readline()
        assert answer, f"tests/fork_server.py ended with exit code {server.wait()}; the reason is in its standard error"
        idle.append(server)
        return CompletedProcess(["pyinfra", *arguments], int(answer), stdout.read().decode(), stderr.read().decode())


def _server(modules: tuple[str, ...]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.fork_server", *modules]
    server = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    # It ends with its standard input.
    atexit.register(server.communicate)
    return server
