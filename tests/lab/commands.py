"""Running programs, and telling the reader what is going on."""

import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

LAST_LINES = 40


class LabError(Exception):
    """What is wrong with the lab, then what to do about it; shown without a traceback."""


@dataclass(frozen=True)
class Completed:
    """What a program left behind when it ended."""

    stdout: str
    stderr: str
    returncode: int


class CommandError(LabError):
    """A program ended with another exit code than 0; `completed` holds its output."""

    def __init__(self, command: str, completed: Completed) -> None:
        output = completed.stdout + completed.stderr
        lines = output.rstrip().splitlines()[-LAST_LINES:]
        # Of a long report often only the first line of each failure is kept.
        title = f"Exit code {completed.returncode} ({end_of(output)}) of: {command}"
        super().__init__("\n".join([title, *lines]))
        self.completed = completed


# What pyinfra says after the reason of a failure, whatever it was.
_CLOSING = re.compile(r"\s*(-->.*|\[[^]]*\]\s+Error: executed \d+ commands?)?\s*")


def end_of(output: str, characters: int = 200) -> str:
    """Its last lines, in one, as far as they tell anything: of a run that failed, why it did."""
    lines = [each.strip() for each in output.splitlines() if not _CLOSING.fullmatch(each)]
    return " ".join(lines[-4:])[-characters:]


def run(
    arguments: Sequence[str],
    *,
    stdin: str | bytes | IO[bytes] = b"",
    check: bool = True,
    timeout: float | None = None,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
    title: str = "",
) -> Completed:
    """
    Run a program to its end.

    `stdin` is text, bytes or an open file; `timeout` is in seconds; `environment` and `directory` default to ours;
    `title` replaces the arguments in messages.
    Raises CommandError when `check` is set and the exit code is not 0, LabError after `timeout` or when there is
    no such program.
    """
    shown = title or " ".join(arguments)
    data, source = (None, stdin) if not isinstance(stdin, str | bytes) else (stdin, None)
    try:
        process = subprocess.run(
            arguments,
            input=data.encode() if isinstance(data, str) else data,
            stdin=source,
            capture_output=True,
            timeout=timeout,
            env=environment,
            cwd=directory,
            check=False,
        )
    except subprocess.TimeoutExpired as expired:
        raise LabError(f"No end after {expired.timeout:.0f} s: {shown}") from None
    except FileNotFoundError:
        raise LabError(f"Not installed: {arguments[0]}") from None
    completed = Completed(process.stdout.decode(), process.stderr.decode(), process.returncode)
    if check and completed.returncode != 0:
        raise CommandError(shown, completed)
    return completed


@contextmanager
def step(title: str) -> Iterator[None]:
    """Show one line for a piece of work, ending in the time it took."""
    print(f"{title} ", end="", flush=True)
    started = time.monotonic()
    try:
        yield
    except BaseException:
        print("failed", flush=True)
        raise
    print(f"({time.monotonic() - started:.1f} s)", flush=True)


def wait_until(what: str, condition: Callable[[], bool], timeout: float, interval: float | None = None) -> None:
    """
    Ask `condition` until it is true. Raises LabError after `timeout` seconds.

    `interval`: seconds between two questions, for a moment that is soon over. Without it they become rarer the longer
    it takes: each starts processes on a server, and the other tests need the processor.
    """
    begun = time.monotonic()
    while not condition():
        waited = time.monotonic() - begun
        if waited > timeout:
            raise LabError(f"Not true after {timeout:.0f} s: {what}")
        time.sleep(min(1.0, max(0.2, waited / 10)) if interval is None else interval)
