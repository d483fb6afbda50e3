"""
Commands in the lab's machines, each machine's by a shell that stays there.

`docker exec` takes the processor for as long as most of these commands do: the engine starts half a dozen programs for
it. So it starts a shell once, which then runs a command for each that it is sent.
"""

from __future__ import annotations

import os
import selectors
import subprocess
import time
import uuid
from dataclasses import dataclass

from tests.lab.commands import CommandError, Completed, LabError
from tests.lab.engine import Engine

# Each job is a line with the length of the command in bytes and a word that nobody knows before, and then the command.
# The word ends both of its outputs, on standard output with the exit code behind it.
LOOP = """
while read -r length word; do
    command=$(head -c "$length" && echo .)
    sh -c "${command%.}" </dev/null
    printf '%s %s\\n' "$word" $?
    printf '%s' "$word" >&2
done
"""

# Shells that wait for a command, by machine. Each does one at a time; a second thread gets another.
_idle: dict[tuple[str, str], list[_Shell]] = {}


def run(engine: Engine, container: str, command: str, *, check: bool, timeout: float) -> Completed:
    """
    Run a command line with sh, as root and with nothing on its standard input. `timeout` is in seconds.

    Raises CommandError when `check` is set and the exit code is not 0, LabError after `timeout`.
    """
    idle = _idle.setdefault((engine.environment.get("DOCKER_HOST", ""), container), [])
    shell = None
    # A machine that was replaced or rebooted has taken its shells along.
    while idle and (shell is None or not shell.lives()):
        shell = idle.pop()
    if shell is None or not shell.lives():
        shell = _Shell.start(engine, container)
    completed = shell.run(command, timeout)
    if shell.lives():
        idle.append(shell)
    if check and completed.returncode != 0:
        raise CommandError(f"docker exec {container} sh -c {command}", completed)
    return completed


@dataclass
class _Shell:
    process: subprocess.Popen[bytes]

    @classmethod
    def start(cls, engine: Engine, container: str) -> _Shell:
        pipe = subprocess.PIPE
        return cls(
            subprocess.Popen(
                ["docker", "exec", "--interactive", container, "sh", "-c", LOOP],
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
                env=engine.environment,
            )
        )

    def lives(self) -> bool:
        return self.process.poll() is None

    def run(self, command: str, timeout: float) -> Completed:
        """Completed as `docker exec` would have it, also where the machine goes down meanwhile."""
        assert self.process.stdin and self.process.stdout and self.process.stderr
        word = uuid.uuid4().hex.encode()
        job = command.encode()
        try:
            self.process.stdin.write(b"%d %s\n%s" % (len(job), word, job))
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # Its last output says why.
        stdout, stderr = self.process.stdout.fileno(), self.process.stderr.fileno()
        outputs = _read({stdout: word + b" ", stderr: word}, time.monotonic() + timeout)
        if outputs is None:
            self.process.kill()
            self.process.wait()
            raise LabError(f"No end after {timeout:.0f} s: {command}")
        said, found, code = outputs[stdout].rpartition(word + b" ")
        if not found:
            said, code = code, b"%d" % self.process.wait()
        return Completed(said.decode(), outputs[stderr].removesuffix(word).decode(), int(code))


def _read(ends: dict[int, bytes], until: float) -> dict[int, bytes] | None:
    """What comes from each of these, to the word that ends it or to its end; None if that does not come in time."""
    outputs = dict.fromkeys(ends, b"")
    with selectors.DefaultSelector() as selector:
        for output in ends:
            selector.register(output, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(max(0.0, until - time.monotonic()))
            if not ready:
                return None
            for key, _ in ready:
                text = os.read(key.fd, 65536)
                outputs[key.fd] += text
                last = outputs[key.fd][-64:]
                if not text or (ends[key.fd] in last and last.endswith((b"\n", ends[key.fd]))):
                    selector.unregister(key.fd)
    return outputs
