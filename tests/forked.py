"""
Runs of pyinfra's command line, each forked from a process that has imported what every run imports: importing takes
longer than most runs.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from threading import Thread
from typing import IO, TypeVar

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[1]

# Servers that wait for a run, by what they have imported. Each does one run at a time; a second one gets another.
_idle: dict[tuple[str, ...], list[subprocess.Popen[str]]] = {}


@dataclass(frozen=True)
class Surroundings:
    """
    Where a run takes place. imported: modules that each such run imports. seconds: a run that takes longer is ended by
    SIGALRM, which is then its exit code, as a negative number.
    """

    imported: tuple[str, ...]
    directory: Path
    environment: Mapping[str, str]
    seconds: int


@dataclass
class Run:
    """A run that has begun. `stdout`: what it prints, its standard error too."""

    stdout: IO[str]
    _process: int
    _code: Future[int]

    @property
    def returncode(self) -> int | None:
        """Its exit code, or the signal that ended it as a negative number; None while it is at work."""
        return self._code.result() if self._code.done() else None

    def kill(self) -> None:
        """End it at once, with every process that it has started and that belongs to it."""
        if self.returncode is None:
            os.killpg(self._process, signal.SIGKILL)

    def communicate(self, timeout: float | None = None) -> str:
        """What it prints from now to its end. Raises TimeoutError when it has not ended after `timeout` seconds."""
        rest = _in_a_thread(self.stdout.read)
        self._code.result(timeout)
        return rest.result(timeout)


def begin(arguments: Sequence[str], surroundings: Surroundings) -> Run:
    """Begin to run pyinfra, with nobody to answer its questions and no terminal."""
    reader, writer = os.pipe()
    output = f"/proc/{os.getpid()}/fd/{writer}"
    try:
        return Run(os.fdopen(reader, encoding="utf-8"), *_begin(arguments, surroundings, output, output))
    finally:
        os.close(writer)


def pyinfra(arguments: Sequence[str], surroundings: Surroundings) -> CompletedProcess[str]:
    """Run pyinfra to its end, as begin() does, its two outputs apart."""
    with tempfile.NamedTemporaryFile() as stdout, tempfile.NamedTemporaryFile() as stderr:
        process, code = _begin(arguments, surroundings, stdout.name, stderr.name)
        try:
            returncode = code.result()
        except KeyboardInterrupt:
            os.killpg(process, signal.SIGKILL)
            raise
        return CompletedProcess(["pyinfra", *arguments], returncode, stdout.read().decode(), stderr.read().decode())


def _begin(arguments: Sequence[str], surroundings: Surroundings, stdout: str, stderr: str) -> tuple[int, Future[int]]:
    """The process of a run that has opened its outputs, and what its exit code will be."""
    idle = _idle.setdefault(surroundings.imported, [])
    server = idle.pop() if idle else _server(surroundings.imported)
    assert server.stdin
    run = {
        "arguments": list(arguments),
        "directory": str(surroundings.directory),
        "environment": dict(surroundings.environment),
        "seconds": surroundings.seconds,
        "stdout": stdout,
        "stderr": stderr,
    }
    print(json.dumps(run), file=server.stdin, flush=True)
    process = _answer(server)

    def end() -> int:
        code = _answer(server)
        idle.append(server)
        return code

    return process, _in_a_thread(end)


def _answer(server: subprocess.Popen[str]) -> int:
    assert server.stdout
    line = server.stdout.readline()
    assert line, f"tests/fork_server.py ended with exit code {server.wait()}; the reason is in its standard error"
    return int(line)


def _in_a_thread(work: Callable[[], T]) -> Future[T]:
    """What comes of this work. Whoever ends this process meanwhile does not wait for it."""
    future: Future[T] = Future()

    def do() -> None:
        try:
            future.set_result(work())
        except Exception as error:
            future.set_exception(error)

    Thread(target=do, daemon=True).start()
    return future


def _server(modules: tuple[str, ...]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.fork_server", *modules]
    server = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(server.terminate)
    return server
