"""
A process that has imported what every run of pyinfra imports, and forks for each run. tests/forked.py starts it and
writes to its standard input.

    python -m tests.fork_server MODULE …

Each line of its standard input is a run as JSON: arguments, directory, environment, after how many seconds it is ended,
and the files for what it prints. The answer to each is a line with its process ID when it has begun, and one with its
exit code when it has ended. A run is otherwise as it would be without this: a process and a session of its own, so that
it has no terminal; it ends as pyinfra ends, and the modules that a task imports are imported there.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import signal
import sys
from contextlib import suppress

# pyinfra has gevent replace these, and gevent's take part in its event loop: there must be none before the fork, and
# nothing would be closed before one runs.
from os import close, fork, waitpid
from typing import Any


def serve() -> None:
    """Answer requests until there are no more, which ends this process. Returns in each fork, ready to run."""
    for line in sys.stdin:
        run = json.loads(line)
        outputs = [os.open(run[output], os.O_WRONLY) for output in ("stdout", "stderr")]
        if (process := fork()) == 0:
            become(run, outputs)
            return
        for output in outputs:
            close(output)
        print(process, flush=True)
        code = os.waitstatus_to_exitcode(waitpid(process, 0)[1])
        if code == -signal.SIGALRM:
            # What it has started goes with it.
            with suppress(ProcessLookupError):
                os.killpg(process, signal.SIGKILL)
        print(code, flush=True)
    sys.exit()


def become(run: dict[str, Any], outputs: list[int]) -> None:
    """Make this process what `python -m pyinfra` begins as."""
    os.setsid()
    signal.alarm(run["seconds"])
    for number, opened in enumerate((os.open(os.devnull, os.O_RDONLY), *outputs)):
        os.dup2(opened, number)
        close(opened)
    os.chdir(run["directory"])
    os.environ.clear()
    os.environ.update(run["environment"])
    sys.path[0] = run["directory"]
    look_first_in(run["environment"].get("PYTHONPATH", ""))
    sys.argv = ["pyinfra", *run["arguments"]]


def look_first_in(directories: str) -> None:
    """
    What Python does with PYTHONPATH when it starts. This process has started without that of a run.

    Raises ImportError where a module that is to be found there was imported before: the fork would go on with that one.
    """
    entries = [each for each in directories.split(os.pathsep) if each and each not in sys.path]
    imported = {found.name for each in entries for found in pkgutil.iter_modules([each])} & sys.modules.keys()
    if imported:
        raise ImportError(f"imported before the fork: {', '.join(sorted(imported))}")
    sys.path[1:1] = entries


if __name__ == "__main__":
    for name in ("pyinfra_cli.main", *sys.argv[1:]):
        importlib.import_module(name)
    # What is there already needs not be looked through, and copied by that, in each fork.
    gc.collect()
    gc.freeze()
    serve()
    importlib.import_module("pyinfra_cli.main").main()
