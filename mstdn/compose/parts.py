"""
What the files of a Compose project say about each of its services. Pure.

Only Compose knows what a change of its files means for containers, and says so only when they are made. To foretell
it, the text about a service is enough: its own lines, those of every anchor that it names, and the files whose
variables it gets.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from mstdn.files.tree import ConfigFile, revision_of


def parts_of(files: Sequence[ConfigFile]) -> dict[str, str]:
    """
    A checksum for each service of a project with these files, the first of which is compose.yaml.

    Only its present form is understood: anchors in blocks of their own, and env_file as a list in one line.
    """
    lines = [line for line in files[0].text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    anchors = dict(_anchors(lines))
    return {
        service: revision_of((), text, *(file.text for file in files[1:] if _mentions(text, file)))
        for service, own in _services(lines)
        for text in [_whole(own, anchors)]
    }


def _services(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    start = lines.index("services:") + 1
    for number, line in enumerate(lines[start:], start):
        if not line.startswith(" "):
            return
        if found := re.fullmatch(r"  ([\w-]+):", line):
            yield found[1], _block(lines, number)


def _anchors(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(lines):
        if found := re.search(r": &(\w+)$", line):
            yield found[1], _block(lines, number)


def _block(lines: Sequence[str], number: int) -> str:
    """The line of this number and all that are indented more."""
    depth = _depth(lines[number])
    end = next((each for each in range(number + 1, len(lines)) if _depth(lines[each]) <= depth), len(lines))
    return "\n".join(lines[number:end])


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _whole(text: str, anchors: dict[str, str]) -> str:
    """The text with that of every anchor that it names, each once."""
    named = dict.fromkeys(_names(text))
    for name in list(named):
        named |= dict.fromkeys(_names(_whole(anchors[name], anchors)))
    return "\n".join([text, *(anchors[name] for name in named)])


def _names(text: str) -> Iterable[str]:
    return re.findall(r": \*(\w+)$", text, re.MULTILINE)


def _mentions(text: str, file: ConfigFile) -> bool:
    return bool(re.search(rf"env_file: .*\b{re.escape(file.path.rpartition('/')[2])}\b", text))
