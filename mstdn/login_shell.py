"""
How a command passes through the login shell of whoever logs in, whatever that shell is and whatever it prints.

sshd has every command carried out by the user's login shell, after that shell's start-up files. pyinfra quotes for a
POSIX shell: tcsh stops at a newline in quotes, fish reads backslashes in them, and what a start-up file prints looks
like an answer. So a command travels as letters that no shell cares about, and marks say where its own output begins.

    login shell -> sh prints REACHED and decodes -> sudo -> sh prints GRANTED -> command -> sh prints ENDED and the code

Without REACHED the login shell did not carry out our command; without GRANTED, sudo did not.
"""

from __future__ import annotations

import base64
import gzip
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator

REACHED = "mstdn:reached"
GRANTED = "mstdn:granted"
ENDED = "mstdn:ended"
# Begins a line for the operator, who is told at once why nothing happens (lock.sh).
WAITS = "mstdn:waits "
_STDERR = ":stderr"
# The first line of standard input: a start-up file that reads it would otherwise take a line of a secret.
UNREAD = "mstdn:unread"
STDIN_WAS_READ = "mstdn:stdin-was-read"
# Bytes. Below, decompressing takes longer than the bytes take to travel.
COMPRESS_FROM = 2048
# Of what is not ours, the last lines are kept for the explanation.
KEPT_LINES = 20

# What start-up files may have spoiled. C.UTF-8 is in every Debian and Ubuntu, and sudo's refusals are then in English.
_ENVIRONMENT = (
    "PATH=${PATH:+$PATH:}/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 LANGUAGE="
    ";export PATH LC_ALL LANGUAGE"
)
# read takes its line byte by byte and leaves the rest of the input as it is.
_STDIN_IS_WHOLE = f"""\
IFS= read -r line
[ "$line" = {UNREAD} ] || {{ echo {STDIN_WAS_READ} >&2; exit 1; }}
"""


def announced(shell: str) -> str:
    """A shell to put before `-c COMMAND`, which prints GRANTED to both outputs before it runs COMMAND with `shell`."""
    return f"""sh -c '{_marks(GRANTED)};exec "$0" "$@"' {shell}"""


def armoured(command: str, *, stdin: bool, variables: Iterable[str] = (), changes: bool = True) -> str:
    """
    The command line to hand to any login shell, which has a POSIX shell carry out `command` with its exit code.

    stdin: the first line of standard input is UNREAD. variables: names of environment variables whose values are the
    lines after it, so that they are no argument, which every user of the server could read. changes: False for a
    command that changes nothing and reads nothing. It need not wait for that line, which sshd takes a journey after the
    command only, so that who else has read it is found out at the end.

    Up to 60 KiB of shell scripts fit into one argument of a program, which is what Linux limits (to 128 KiB).
    """
    reads = "".join(f"IFS= read -r {name}\nexport {name}\n" for name in variables)
    check = _STDIN_IS_WHOLE if stdin else ""
    end = f'code=$?\necho; echo "{ENDED} $code"\nexit $code'
    if changes:
        plain = f"{check}{reads}{command}\n{end}".encode()
    else:
        plain = f"{{ {command}\n}} </dev/null\ncode=$?\n{check}(exit $code)\n{end}".encode()
    # Without a time of its own, so that the same command always is the same letters.
    compressed = gzip.compress(plain, compresslevel=6, mtime=0) if len(plain) >= COMPRESS_FROM else b""
    decode = "base64 -d|gzip -dc" if compressed else "base64 -d"
    letters = base64.b64encode(compressed or plain).decode()
    return f"""/bin/sh -c '{_ENVIRONMENT};{_marks(REACHED)};c=$(echo {letters}|{decode})&&eval "$c"'"""


def _marks(mark: str) -> str:
    # Standard error first, so that all of it is before standard output's mark where a terminal or a start-up file made
    # one of both. An empty line before each, because a prompt may stand there. No backslash, "!" or newline: see above.
    return f"{{ echo;echo {mark}{_STDERR};}}>&2;echo;echo {mark}"


class Lines:
    """
    The lines of one output of an armoured command, without what others print before and after it.

    While it is read it notes: `reached` and `granted`, whether the marks came; `before` and `between`, the last lines
    that came before each; `code`, the command's exit code, None until it ended (standard output only). tell: what to do
    with a word for the operator, which is none of the output.
    """

    def __init__(
        self, output: Iterable[bytes], *, stderr: bool = False, tell: Callable[[str], None] = lambda word: None
    ) -> None:
        self._output, self._tell = output, tell
        self._marks = (REACHED + _STDERR, GRANTED + _STDERR) if stderr else (REACHED, GRANTED)
        self.reached = False
        self.granted = False
        self.before: deque[str] = deque(maxlen=KEPT_LINES)
        self.between: deque[str] = deque(maxlen=KEPT_LINES)
        self.code: int | None = None

    def __iter__(self) -> Iterator[str]:
        # Start-up files may print anything; bytes that are no text are replaced, because an exception would be worse.
        lines = (line.decode(errors="replace").rstrip("\n") for line in self._output)
        # It may be long until the next line, so each is told at once; but for an empty one, because ENDED comes after a
        # newline of its own: an empty line, if the command's last line was complete.
        held: str | None = None
        for line in self._ours(lines):
            if held is not None:
                yield held
                held = None
            if line.rstrip("\r"):
                yield line
            else:
                held = line
        if held is not None and self.code is None:
            yield held

    def _ours(self, lines: Iterator[str]) -> Iterator[str]:
        reached, granted = self._marks
        for line in lines:
            text = line.rstrip("\r")  # which a terminal adds
            if not self.reached:
                self.reached = text == reached
                self._keep(self.before, text)
            elif ended := re.fullmatch(f"{ENDED} ([0-9]+)", text):
                self.code = int(ended[1])
                break
            elif not self.granted:
                self.granted = text == granted
                self._keep(self.between, text)
            elif text.startswith(WAITS):
                self._tell(text.removeprefix(WAITS))
            else:
                yield line
        # What a shell prints when it ends. Read it, or it would block at a full pipe.
        for _ in lines:
            pass

    def _keep(self, lines: deque[str], text: str) -> None:
        if text and text not in (REACHED, GRANTED, REACHED + _STDERR, GRANTED + _STDERR):
            lines.append(text)
