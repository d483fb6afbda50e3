"""A Compose project as it should be on a server. Pure: the same settings give the same project."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from mstdn.files.tree import ConfigDirectory, ConfigFile, revision_of


class Way(Enum):
    """How the container of a service makes room for a new one; the values are words of compose/roll.sh."""

    BESIDE = "beside"
    """The new one starts beside it, and it stops when that one is healthy."""
    AFTER = "after"
    """It stops first, because there must not be two; if the new one does not become healthy, it goes on."""
    HANDOVER = "handover"
    """Another one serves while it stops and the new one starts, because its ports can be had by one only."""


@dataclass(frozen=True)
class Project:
    """
    `name` and `directory` are Compose's; `title` is what people call it; `services` are those that shall run.

    `directories` and `files` are on the server before it starts. `reloaded`: those of `files` that running containers
    can read anew, with the script `reload`. `written_elsewhere`: paths of further files that containers are made from.
    `mounted`: which services mount which single file. Unlike what lies in a mounted directory, such a file stays the
    old one inside a container when it is replaced. `inputs` gives further words that containers are made from; they may
    not be secret.

    `replaced`: how the containers of some services make room for new ones, in this order; Compose itself makes the
    others anew. `move`: the script that leads visitors from one container to another. `first`: services that have to be
    as their files say before that. `parts`: by service, a checksum of what its files say about it. `notices`: by
    service, what the operator should know while its container is stopped or replaced. `listeners`: by service, the
    one that it holds a connection to for as long as both live.
    """

    name: str
    title: str
    directory: str
    services: tuple[str, ...]
    directories: tuple[ConfigDirectory, ...]
    files: tuple[ConfigFile, ...]
    reloaded: tuple[ConfigFile, ...]
    reload: str
    written_elsewhere: tuple[str, ...] = ()
    inputs: Callable[[], Iterable[str]] = tuple
    mounted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    replaced: Mapping[str, Way] = field(default_factory=dict)
    move: str = ""
    first: tuple[str, ...] = ()
    parts: Mapping[str, str] = field(default_factory=dict)
    notices: Mapping[str, str] = field(default_factory=dict)
    listeners: Mapping[str, str] = field(default_factory=dict)

    @property
    def made_from(self) -> tuple[ConfigFile, ...]:
        """The files that containers are made from."""
        return tuple(file for file in self.files if file not in self.reloaded)

    @property
    def made_from_paths(self) -> tuple[str, ...]:
        """The paths of everything that containers are made from."""
        return (*(file.path for file in self.made_from), *self.written_elsewhere)

    @property
    def reloaded_paths(self) -> tuple[str, ...]:
        """The paths of the files that running containers can read anew."""
        return tuple(file.path for file in self.reloaded)

    @property
    def revision(self) -> str:
        """Changes exactly when containers may have to be made anew."""
        return revision_of(self.made_from, *self.inputs())

    @property
    def reload_revision(self) -> str:
        """Changes exactly when running containers have to read their configuration anew."""
        return revision_of(self.reloaded)
