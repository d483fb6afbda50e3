"""What a directory of the server shall hold, as values: rendered on this machine, compared and written elsewhere."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from mstdn.layout import ROOT


@dataclass(frozen=True)
class ConfigFile:
    """
    A file without secrets: its text may be shown by --diff.

    `owner` is numeric ("uid:gid") because the users inside containers have no name on the server; `mode` is octal.
    """

    path: str
    content: str
    mode: str = "0644"
    owner: str = ROOT

    @property
    def text(self) -> str:
        """The content with exactly one newline at its end, as it arrives through standard input."""
        return self.content.rstrip("\n") + "\n"

    @property
    def sha256(self) -> str:
        return sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True)
class ConfigDirectory:
    """
    A directory; an `exclusive` one holds the listed files and nothing else: what is no longer wanted goes.

    rights: octal, what all that lies in it gives its readers at least; it belongs to the directory's owner then. ""
    where that is not ours to say.
    """

    path: str
    mode: str = "0755"
    owner: str = ROOT
    exclusive: bool = False
    rights: str = ""


def revision_of(files: Iterable[ConfigFile], *extra: str) -> str:
    """One SHA-256 over paths and texts (and `extra` words), equal exactly when all of them are."""
    digest = sha256()
    for file in sorted(files, key=lambda each: each.path):
        digest.update(f"{file.path}\0{file.sha256}\0".encode())
    for word in extra:
        digest.update(f"{word}\0".encode())
    return digest.hexdigest()
