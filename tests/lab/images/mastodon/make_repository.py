#!/usr/bin/env python3
"""
Write a bare git repository that stands for mastodon/mastodon: one commit and one annotated tag per release.

    tests/lab/images/mastodon/make_repository.py TARGET

Names, dates and order are fixed, so the same sources give the same hashes on every machine. An existing TARGET is
replaced. Needs git.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[4]))

from tests.lab.images.mastodon.releases import NEWEST_GOOD_RELEASE, RELEASE, RELEASES
from tests.lab.images.mastodon.source_tree import source_tree

_PERSON = b"Mastodon releases <releases@example.org>"
_FIRST_DATE = 1_780_000_000
_DAY = 86_400


def make_repository(target: Path) -> None:
    """Create the repository at `target`. Raises CalledProcessError when git fails."""
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(target)], check=True)
    subprocess.run(["git", "fast-import", "--quiet"], cwd=target, input=_stream(), check=True)
    # As on the real host: any commit may be asked for by its hash.
    subprocess.run(["git", "config", "uploadpack.allowAnySHA1InWant", "true"], cwd=target, check=True)


def _stream() -> bytes:
    commits = b"".join(_commit(tag, number) for number, tag in enumerate(RELEASES, start=1))
    newest = RELEASES.index(NEWEST_GOOD_RELEASE) + 1
    return commits + b"reset refs/heads/main\nfrom :%d\n\n" % newest


def _commit(tag: str, number: int) -> bytes:
    date = b"%d +0000" % (_FIRST_DATE + number * _DAY)
    title = f"Bump version to {tag}".encode()
    predecessor = RELEASE[tag].predecessor
    parent = b"from :%d\n" % (RELEASES.index(predecessor) + 1) if predecessor else b""
    files = b"".join(
        b"M %b inline %b\n%b" % (source_file.mode.encode(), path.encode(), _data(source_file.content))
        for path, source_file in sorted(source_tree(tag).items())
    )
    return (
        b"commit refs/heads/main\nmark :%d\nauthor %b %b\ncommitter %b %b\n%b%bdeleteall\n%b"
        % (number, _PERSON, date, _PERSON, date, _data(title), parent, files)
    ) + b"tag %b\nfrom :%d\ntagger %b %b\n%b" % (tag.encode(), number, _PERSON, date, _data(tag.encode()))


def _data(content: bytes) -> bytes:
    return b"data %d\n%b\n" % (len(content), content)


if __name__ == "__main__":
    make_repository(Path(sys.argv[1]))
