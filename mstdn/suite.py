"""Which version of the suite this is, and which one may follow which on a server."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from mstdn import __version__
from mstdn.files.tree import ConfigFile
from mstdn.layout import MastodonLayout
from mstdn.operator_files import SUITE_DIRECTORY

if TYPE_CHECKING:
    from mstdn.settings import Settings


@dataclass(frozen=True)
class Suite:
    """
    A version of the suite, as text "0.2.0 v0.2.0-3-g1a2b3c4".

    `version`: "0.2.0". `commit`: what git calls it, "" for one that was not cloned.
    """

    version: str
    commit: str = ""

    def __str__(self) -> str:
        return f"{self.version} {self.commit}".rstrip()


@cache
def this_suite() -> Suite:
    """The suite that is running. Once per run, for it starts processes."""
    # In a directory of another repository, git would tell that one's commit. A second work tree has a file there.
    if not (SUITE_DIRECTORY / ".git").exists():
        return Suite(__version__)
    return Suite(__version__, _git("describe", "--always", "--tags"))


def _git(*arguments: str) -> str:
    """What git answers in the suite's directory, "" without git or where it refuses."""
    command = ["git", "-C", str(SUITE_DIRECTORY), *arguments]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""


def note(settings: Settings) -> ConfigFile:
    """What the server remembers of the suite that converged it last."""
    return ConfigFile(MastodonLayout(settings.mastodon_root).suite, str(this_suite()))


def refusal(converged_last: str, this: Suite) -> str | None:
    """
    Why `this` must not work on a server, with what to do; None if it may.

    converged_last: the text of the suite that converged it last, "" if there was none. An older suite does not know
    what a newer one has made, and would take it away or make it twice.
    """
    if not converged_last.strip():
        return None
    last = _numbers(converged_last)
    if last is None:
        return (
            f'The server notes "{converged_last.strip()}" as the version of the suite that converged it last, which is '
            "none. Remove state/suite under mastodon_root, then run again."
        )
    if last <= (_numbers(this.version) or ()):
        return None
    version = ".".join(map(str, last))
    return (
        f"The server was converged by version {converged_last.strip()} of the suite, and this is the older {this}, "
        f"which does not know what the newer one made. Take that version or a newer one: git fetch --tags && "
        f"git checkout v{version}"
    )


def _numbers(text: str) -> tuple[int, ...] | None:
    version = re.match(r"(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?=\s|$)", text.strip(), re.ASCII)
    return tuple(map(int, version.groups())) if version else None
