"""Docker Engine from Docker's own apt repository."""

import json
from collections.abc import Sequence
from urllib.parse import urlsplit

from pyinfra.api import StringCommand

from mstdn.apt.facts import AptSources, Sources
from mstdn.apt.sources import without
from mstdn.asking import ask
from mstdn.brought import ENGINE, brings
from mstdn.docker.configuration import parsed
from mstdn.docker.facts import DockerHost, Engine, EngineSetup, Setup
from mstdn.docker.options import unreadable_options
from mstdn.docker.packages import DAEMON_JSON, ENGINE_PACKAGES, KEYRING, PACKAGES, PREREQUISITES, SOURCES
from mstdn.docker.rules import merged_configuration
from mstdn.fact import Question
from mstdn.files.facts import Tree
from mstdn.files.operations import converge_tree, states_of
from mstdn.files.tree import ConfigDirectory, ConfigFile
from mstdn.layout import ENGINE_NOTE, NOTES
from mstdn.operation import announce, operation
from mstdn.refusal import refuse
from mstdn.shell import Commands, script


def engine_question() -> Question[Engine]:
    """What all operations here ask of Docker Engine."""
    return DockerHost.of(KEYRING, (*PREREQUISITES, *PACKAGES))


def setup_question(users: Sequence[str]) -> Question[Setup]:
    """What daemon and preflight ask of the engine's configuration. users: the setting docker_users."""
    return EngineSetup.of(ENGINE_NOTE, users)


def repository_question() -> Question[Tree]:
    """What apt_repository asks of files."""
    return states_of([ConfigFile(SOURCES, "")])


def sources_question(repository: str) -> Question[Sources]:
    """What apt_repository and preflight ask of apt's other sources. repository: the setting docker_repository."""
    return AptSources.naming(urlsplit(repository).netloc, SOURCES)


def daemon_questions() -> tuple[Question[Tree], Question[Tree]]:
    """What daemon asks of files: of daemon.json, and of the note of what in it is the suite's."""
    return (
        states_of([ConfigFile(DAEMON_JSON, "")], [ConfigDirectory("/etc/docker")]),
        states_of([ConfigFile(ENGINE_NOTE, "")], [ConfigDirectory(NOTES)]),
    )


def _engine() -> Engine:
    return ask(engine_question())


@operation
def prerequisites() -> Commands:
    """Install the few Debian packages that the later steps call."""
    missing = [name for name in PREREQUISITES if name not in _engine().packages]
    if missing:
        yield script("apt/install", *missing)


@operation
def apt_repository(repository: str, fingerprint: str) -> Commands:
    """
    Trust Docker's apt repository, if its key is the pinned one.

    + repository: URL above the distribution's name
    + fingerprint: of the only key to trust, 40 hexadecimal digits

    The key is fetched when what is trusted now is not exactly that key: at first, and when the setting follows a
    rotation. A key of any other fingerprint is refused before apt sees it. Other entries for the same repository,
    wherever they are written, are taken out: two that name different keys make apt refuse all of its sources.
    """
    engine, found = _engine(), ask(sources_question(repository))
    url = f"{repository.rstrip('/')}/{engine.distribution}"
    others = {each: rest for each in found.files if each.path != SOURCES and (rest := without(each, url)).changed}
    announce(*(f"{each.path} names Docker's repository too: {SOURCES} takes its place" for each in others))
    trusted = engine.fingerprints == [fingerprint]
    if not trusted:
        announce(f"{KEYRING} is not the key {fingerprint}")
        yield script("apt/trust_key", f"{url}/gpg", KEYRING, fingerprint)
    sources = ConfigFile(
        SOURCES,
        f"Types: deb\nURIs: {url}\nSuites: {engine.codename}\nComponents: stable\n"
        f"Architectures: {engine.architecture}\nSigned-By: {KEYRING}\n",
    )
    written = list(
        converge_tree(
            [sources, *(ConfigFile(each.path, rest.text, each.mode) for each, rest in others.items() if rest.text)],
            absent=[each.path for each, rest in others.items() if rest.text is None],
        )
    )
    yield from written
    if written or not trusted:
        yield script("apt/prove", url, SOURCES)


@operation
def daemon(configuration: str, users: Sequence[str] = ()) -> Commands:
    """
    Ensure the suite's part of daemon.json, and a daemon that runs with it now and after a reboot.

    + configuration: the suite's part, JSON text; what else the file holds stays
    + users: the setting docker_users, with which the same question is asked as before

    On a server without Docker the file is written first, so that the engine starts with it. Nothing is written that
    the daemon has not been shown to start with. A running daemon reads most of the file only when it starts: it is
    restarted if it is older than the file and its containers can live on.
    """
    engine, setup = _engine(), ask(setup_question(users))
    try:
        new = merged_configuration(setup, configuration)
        changed = new.configuration != parsed(setup.configuration)
    except ValueError as error:
        yield from refuse(f"{DAEMON_JSON} is not valid: {error}. The engine does not start with it; correct it.")
        return
    installed = "docker-ce" in engine.packages
    if changed:
        announce(*(f"{DAEMON_JSON}: {key} stays as it is, although the suite would set it" for key in new.kept))
        if installed and setup.unreadable:
            yield from refuse(unreadable_options(setup))
            return
    # A plan goes as far as the first command: what is written is shown before it is validated.
    written = list(_write_configuration(new.text if changed or setup.configuration is None else setup.configuration))
    if changed and installed:
        yield script("docker/validate", *setup.flags, stdin=new.text)
    yield from written
    yield from converge_tree([ConfigFile(ENGINE_NOTE, json.dumps(new.ours, indent=2))], [ConfigDirectory(NOTES)])
    if not installed:
        return
    stale = engine.started is not None and engine.configured is not None and engine.configured > engine.started
    if stale and not written:
        announce(f"the daemon is older than {DAEMON_JSON}")
    if not engine.active:
        announce("Docker does not run")
    if not engine.enabled:
        announce("docker.service does not start at boot")
    if not engine.containerd:
        announce("containerd, by which Docker reaches its containers, does not run")
        yield script("docker/start_containerd")
    if written or stale or not engine.active:
        yield script("docker/restart_daemon", *setup.flags)
    elif not engine.enabled:
        yield StringCommand("systemctl enable --quiet docker.service")


def _write_configuration(text: str) -> Commands:
    """
    Write daemon.json, beside whatever else is in its directory.

    Where somebody has closed file or directory to others (a proxy's password may be in it), they stay closed.
    """
    states = ask(daemon_questions()[0]).states
    directory, file = "/etc/docker", states.get(DAEMON_JSON)
    mode = file.mode if file and int(file.mode, 8) & ~0o644 == 0 else "0644"
    above = states.get(directory)
    above_mode = above.mode if above and int(above.mode, 8) & ~0o755 == 0 else "0755"
    yield from converge_tree([ConfigFile(DAEMON_JSON, text, mode)], [ConfigDirectory(directory, above_mode)])


@operation
def packages(version: str = "") -> Commands:
    """
    Install Docker Engine, its command line, containerd, Buildx and Compose.

    + version: exactly this version of the engine as apt lists it; "" accepts what is installed, or takes the newest
    """
    brings(ENGINE)
    engine = _engine()
    wanted = [
        f"{name}={version}" if version and name in ENGINE_PACKAGES else name
        for name in PACKAGES
        if name not in engine.packages or (version and name in ENGINE_PACKAGES and engine.packages[name] != version)
    ]
    if wanted:
        announce(f"not installed: {', '.join(wanted)}")
        yield script("apt/install", *wanted)


@operation
def group(users: Sequence[str]) -> Commands:
    """Ensure that exactly `users` are in the group docker, because whoever is in it is root on this server."""
    members = _engine().members or frozenset()
    if members != frozenset(users):
        leaving = sorted(members - {*users})
        announce(*(f"{user} may no longer use Docker: docker_users does not name this user" for user in leaving))
        yield script("docker/set_group", ",".join(users))
