"""
Run the tests of the lab, on several servers at once:

    python -m tests.e2e [pytest's options]              all of them, with a sample of the matrices
    python -m tests.e2e MATRIX [pytest's options]       every row of a matrix: drift or servers

The output of one run of pytest is shown as it comes, then that of the next, so that they do not mix. The exit code is 0
when all passed.
"""

import re
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.lives import APART, LIVES, MATRICES, MATRIX_OPTIONS
from tests.lab import lab
from tests.lab.addresses import REPOSITORY, SERVERS
from tests.lab.commands import LabError

FILES = Path(__file__).parent.relative_to(REPOSITORY)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Life:
    """A run of pytest that is under way on one server; what it prints goes to `output`."""

    server: str
    process: subprocess.Popen[bytes]
    output: Path

    def text(self) -> Iterator[str]:
        """All that it prints, from the beginning, as it comes, until it has ended."""
        with self.output.open(errors="replace") as reader:
            while True:
                ended = self.process.poll() is not None
                yield reader.read()
                if ended:
                    return
                time.sleep(0.2)

    def failures(self) -> list[str]:
        """The lines of its summary that name what did not pass."""
        lines = COLOUR.sub("", self.output.read_text(errors="replace")).splitlines()
        return [line for line in lines if line.startswith(("FAILED ", "ERROR "))]


def command(server: str, words: Sequence[str], options: Sequence[str]) -> list[str]:
    """The run of pytest for one server. words: its files, and options of their own."""
    return [
        *(sys.executable, "-m", "pytest", "--server", server, "--color", "yes" if sys.stdout.isatty() else "no"),
        *("--override-ini", f"cache_dir=.pytest_cache/{server}", *options),
        *(str(FILES / word) if word.endswith(".py") else word for word in words),
    ]


def begin(server: str, words: Sequence[str], options: Sequence[str], output: Path) -> Life:
    """Start tests of one server; what they print is kept in `output`."""
    with output.open("wb") as file:
        process = subprocess.Popen(
            command(server, words, options), cwd=REPOSITORY, stdin=subprocess.DEVNULL, stdout=file, stderr=file
        )
    return Life(server, process, output)


def main(arguments: Sequence[str]) -> int:
    """Run everything, or a matrix. Returns the exit code: 0, or that of the first life that did not pass."""
    matrix = arguments[0] if arguments and arguments[0] in MATRICES else ""
    options = [*MATRIX_OPTIONS, *arguments[1:]] if matrix else arguments
    plan = MATRICES[matrix] if matrix else LIVES
    apart = deque(() if matrix else APART)
    lab.up(*SERVERS)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as directory, ThreadPoolExecutor(len(plan)) as pool:
        lives = [begin(server, words, options, Path(directory, server)) for server, words in plan.items()]

        def go_on(life: Life) -> None:
            """When this life has ended, files of which no server has taken care yet."""
            with suppress(IndexError):
                while True:
                    life.process.wait()
                    file = apart.popleft()
                    lives.append(life := begin(life.server, (file,), options, Path(directory, file)))

        ends = [pool.submit(go_on, life) for life in lives]
        shown = 0
        try:
            while shown < len(lives) or not all(end.done() for end in ends):
                if shown == len(lives):
                    time.sleep(0.2)
                    continue
                print(f"\n===== Tests on {lives[shown].server} =====", flush=True)
                for text in lives[shown].text():
                    print(text, end="", flush=True)
                shown += 1
        finally:
            # After Ctrl-C, which pytest gets as well: the pool lets it end as it wants to.
            apart.clear()
        for end in ends:
            end.result()
        failed = [life for life in lives if life.process.returncode != 0]
        print(f"\nAll servers together took {time.monotonic() - begun:.0f} s.")
        for life in failed:
            print(
                f"Tests on {life.server} failed with exit code {life.process.returncode}.", *life.failures(), sep="\n"
            )
        return failed[0].process.returncode if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except LabError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("Stopped.")
