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
    version, _, commit = converged_last.strip().partition(" ")
    last, present = _order(version), _order(this.version)
    if last is None:
        return (
            f'The server notes "{converged_last.strip()}" as the version of the suite that converged it last, which is '
            "none. Remove state/suite under mastodon_root, then run again."
        )
    of_one_version = last == present
    if present is not None and (last < present or (of_one_version and not _is_older(this.commit, commit))):
        return None
    branch = (
        "If it is not older but of another branch, remove state/suite under mastodon_root and run again. Otherwise take"
        if of_one_version
        else "Take"
    )
    return (
        f"The server was converged by version {converged_last.strip()} of the suite, and this is the older {this}, "
        f"which does not know what the newer one made. {branch} that version or a newer one: git fetch --tags && "
        f"git checkout {commit or f'v{version}'}"
    )


# What comes before the version that it is written behind, and what after it. Source: packaging.python.org, "Version
# specifiers", in which the version in mstdn/__init__.py is written.
STAGES = {"dev": 0, "a": 1, "alpha": 1, "b": 2, "beta": 2, "c": 3, "rc": 3, "": 4, "post": 5}
VERSION = re.compile(
    r"(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:[.-]?(dev|alpha|a|beta|b|c|rc|post)[.-]?(\d{0,9}))?(?:\+[\w.]+)?", re.ASCII
)
DESCRIBED = re.compile(r"v(?P<tag>\S+?)(?:-(?P<distance>\d{1,9})-g[0-9a-f]+)?", re.ASCII)


def _order(version: str) -> tuple[int, ...] | None:
    """What versions are compared by; None for what is no version."""
    found = VERSION.fullmatch(version)
    if found is None:
        return None
    numbers, stage, number = found.groups()[:3], found[4] or "", found[5] or "0"
    return (*map(int, numbers), STAGES[stage], int(number))


def _is_older(commit: str, other: str) -> bool:
    """Whether one commit comes before the other as git describes both; not where it could not name a tag for both."""
    one, another = _described(commit), _described(other)
    return one is not None and another is not None and one < another


def _described(commit: str) -> tuple[tuple[int, ...], int] | None:
    """The tag before a commit, and the number of commits since."""
    found = DESCRIBED.fullmatch(commit)
    tag = _order(found["tag"]) if found else None
    return (tag, int(found["distance"] or 0)) if found and tag else None
