"""The command that puts directories and files in their place."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from gzip import compress

from pyinfra.api import StringCommand

from mstdn.shell import script


@dataclass(frozen=True)
class Step:
    """
    What is done with one path. `what`: "directory" makes one, "file" writes one with `text`, and "rights" only gives
    what is there its owner ("0:0") and mode ("0644").
    """

    what: str
    path: str
    owner: str
    mode: str
    text: str = ""


def put(steps: Sequence[Step]) -> StringCommand:
    """All of it by one remote command: on a new server there are dozens, and each costs a way there and back."""
    words = [word for step in steps for word in (step.what, step.owner, step.mode, step.path)]
    texts = [step.text.encode() for step in steps if step.what == "file"]
    packed = "".join(f"{b64encode(compress(text, mtime=0)).decode()}\n" for text in texts)
    return script("files/put", *words, stdin=packed or None)


def file_step(path: str, owner: str, mode: str, text: str) -> Step:
    """Writing one file, with a newline at its end."""
    return Step("file", path, owner, mode, text if text.endswith("\n") else f"{text}\n")


def put_file(path: str, owner: str, mode: str, text: str) -> StringCommand:
    """One file alone."""
    return put([file_step(path, owner, mode, text)])
