"""
daemon.json, which may have been somebody's before it was ours. Pure.

Keys that others wrote stay as they are; the suite's own are added, and changed or taken back later as the settings say.
A note on the server (mstdn/layout.py) tells its own keys from theirs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

Configuration = dict[str, Any]
Path = tuple[str, ...]

# Whatever was said before: without it Docker could not be restarted, or upgraded, under a running Mastodon.
ALWAYS_OURS: tuple[Path, ...] = (("live-restore",),)
# Kept or set together: what may stand in log-opts depends on the driver.
TOGETHER: tuple[Path, ...] = (("log-driver",), ("log-opts",))
# The option of dockerd for a key, where it is not the same word. The daemon does not start with both.
# Source: moby, cmd/dockerd/config.go.
FLAGS: Mapping[Path, tuple[str, ...]] = {
    ("log-opts",): ("--log-opt",),
    ("default-network-opts", "bridge", "com.docker.network.bridge.host_binding_ipv4"): ("--default-network-opt",),
}


@dataclass(frozen=True)
class Merged:
    """
    `configuration`: what daemon.json shall hold. `ours`: the part of it that is the suite's.
    `kept`: keys that the suite would have set otherwise; they are somebody's, and stay.
    """

    configuration: Configuration
    ours: Configuration
    kept: tuple[str, ...]

    @property
    def text(self) -> str:
        """The configuration as people write it."""
        return json.dumps(self.configuration, indent=2) + "\n"


def parsed(text: str | None) -> Configuration:
    """
    What a daemon.json says; nothing without one.

    Raises ValueError, with the place, if it is not a JSON object.
    """
    if text is None or not text.strip():
        return {}
    # The engine takes a mark of the byte order before it for nothing (moby, daemon/config).
    found = json.loads(text.removeprefix("\ufeff"))
    if not isinstance(found, dict):
        raise ValueError("it is no object: {…}")
    return found


def merged(
    there: Configuration, noted: Configuration | None, wanted: Configuration, flags: Sequence[str] = ()
) -> Merged:
    """
    What daemon.json shall hold.

    there: what it holds. noted: the suite's part of it, as it was written last; None where nothing was noted.
    wanted: the suite's part as it shall be. flags: the options that the unit gives the daemon.
    """
    owned = _owned(there, noted, wanted)
    result, kept = deepcopy(there), []
    ours: Configuration = {}
    for path in owned:
        _remove(result, path)
    for group in _groups(_paths(wanted)):
        present = [path for path in group if _get(result, path) is not None]
        if any(_is_flag(path, flags) for path in group):
            kept += [".".join(path) for path in group]
            continue
        same = all(_get(result, path) == _get(wanted, path) for path in group)
        if present and not same and not set(group) <= set(ALWAYS_OURS):
            kept += [".".join(path) for path in present]
            continue
        for path in group:
            if not _set(result, path, _get(wanted, path)):
                kept.append(".".join(path))
                continue
            _set(ours, path, _get(wanted, path))
    return Merged(result, ours, tuple(kept))


def keys_of_others(there: Configuration, noted: Configuration | None, wanted: Configuration) -> tuple[str, ...]:
    """What daemon.json holds beside the suite's part of it, by names such as "log-opts". Arguments as for merged()."""
    owned = _owned(there, noted, wanted)
    return tuple(".".join(path) for path in _paths(there) if path not in owned)


def _owned(there: Configuration, noted: Configuration | None, wanted: Configuration) -> set[Path]:
    if noted is None and set(_paths(there)) == set(_paths(wanted)):
        # Written whole by an edition of the suite that made no note, or by a run that was killed before its note.
        noted = there
    return set(_paths(noted or {}))


def _groups(paths: Iterable[Path]) -> Iterator[tuple[Path, ...]]:
    rest = list(paths)
    if together := tuple(path for path in rest if path in TOGETHER):
        yield together
    yield from ((path,) for path in rest if path not in TOGETHER)


def _paths(configuration: Configuration, above: Path = ()) -> Iterator[Path]:
    """The places of the values. What stands in log-opts counts as one value."""
    for key, value in configuration.items():
        path = (*above, key)
        if isinstance(value, dict) and path not in TOGETHER and value:
            yield from _paths(value, path)
        else:
            yield path


def _is_flag(path: Path, flags: Iterable[str]) -> bool:
    names = FLAGS.get(path, (f"--{path[0]}",))
    return any(flag.partition("=")[0] in names for flag in flags)


def _get(configuration: Configuration, path: Path) -> Any:
    at: Any = configuration
    for key in path:
        if not isinstance(at, dict) or key not in at:
            return None
        at = at[key]
    return at


def _set(configuration: Configuration, path: Path, value: Any) -> bool:
    """Whether the value could be set: somebody's text may stand where an object would have to."""
    at: Any = configuration
    for key in path[:-1]:
        at = at.setdefault(key, {})
        if not isinstance(at, dict):
            return False
    at[path[-1]] = deepcopy(value)
    return True


def _remove(configuration: Configuration, path: Path) -> None:
    """Take a value out, and each object that is empty without it."""
    above = _get(configuration, path[:-1]) if path[:-1] else configuration
    if not isinstance(above, dict) or path[-1] not in above:
        return
    del above[path[-1]]
    if not above and path[:-1]:
        _remove(configuration, path[:-1])
