"""Docker Engine from Docker's own apt repository."""

from collections.abc import Sequence

from pyinfra import host
from pyinfra.api import operation

from mstdn.docker.facts import DockerHost, Engine
from mstdn.files.operations import converge_tree
from mstdn.files.tree import ConfigDirectory, ConfigFile
from mstdn.shell import Commands, script

KEYRING = "/etc/apt/keyrings/docker.asc"
SOURCES = "/etc/apt/sources.list.d/docker.sources"
DAEMON_JSON = "/etc/docker/daemon.json"
# docker-ce and docker-ce-cli carry the engine's version, the others have versions of their own.
ENGINE_PACKAGES = ("docker-ce", "docker-ce-cli")
PACKAGES = (*ENGINE_PACKAGES, "containerd.io", "docker-buildx-plugin", "docker-compose-plugin")
# What the suite itself needs on the server: curl and gpg for the key, git for the checkout.
PREREQUISITES = ("ca-certificates", "curl", "git", "gpg")


def _engine(packages: Sequence[str] = PACKAGES) -> Engine:
    return host.get_fact(DockerHost, key_path=KEYRING, packages=list(packages))


@operation()
def prerequisites() -> Commands:
    """Install the few Debian packages that the later steps call."""
    missing = [name for name in PREREQUISITES if name not in _engine(PREREQUISITES).packages]
    if missing:
        yield script("apt/install", *missing)


@operation()
def apt_repository(repository: str, fingerprint: str) -> Commands:
    """
    Trust Docker's apt repository, if its key is the pinned one.

    + repository: URL above the distribution's name
    + fingerprint: of the only key to trust, 40 hexadecimal digits

    The key is fetched when what is trusted now is not exactly that key: at first, and when the setting follows a
    rotation. A key of any other fingerprint is refused before apt sees it.
    """
    engine = _engine()
    url = f"{repository.rstrip('/')}/{engine.distribution}"
    if engine.fingerprints != [fingerprint]:
        yield script("apt/trust_key", f"{url}/gpg", KEYRING, fingerprint)
    sources = ConfigFile(
        SOURCES,
        f"Types: deb\nURIs: {url}\nSuites: {engine.codename}\nComponents: stable\n"
        f"Architectures: {engine.architecture}\nSigned-By: {KEYRING}\n",
    )
    # Two entries for one repository with different keys make apt refuse both; these are the names of older guides.
    absent = [f"/etc/apt/sources.list.d/{name}" for name in ("docker.list", "archive_uri-docker.list")]
    yield from converge_tree([sources], absent=absent)


@operation()
def daemon(configuration: str) -> Commands:
    """
    Ensure daemon.json, and a daemon that runs with it now and after a reboot.

    + configuration: JSON text

    On a server without Docker the file is written first, so that the engine starts with it. A running daemon reads most
    of the file only when it starts: it is restarted if it is older than the file and its containers can live on.
    """
    engine = _engine()
    written = list(
        converge_tree([ConfigFile(DAEMON_JSON, configuration)], [ConfigDirectory("/etc/docker")]),
    )
    yield from written
    if "docker-ce" not in engine.packages:
        return
    stale = engine.started is not None and engine.configured is not None and engine.configured > engine.started
    if written or stale or not engine.active or not engine.enabled:
        yield script("docker/restart_daemon")


@operation()
def packages(version: str = "") -> Commands:
    """
    Install Docker Engine, its command line, containerd, Buildx and Compose.

    + version: exactly this version of the engine as apt lists it; "" accepts what is installed, or takes the newest
    """
    engine = _engine()
    wanted = [
        f"{name}={version}" if version and name in ENGINE_PACKAGES else name
        for name in PACKAGES
        if name not in engine.packages or (version and name in ENGINE_PACKAGES and engine.packages[name] != version)
    ]
    if wanted:
        yield script("apt/install", *wanted)


@operation()
def group(users: Sequence[str]) -> Commands:
    """Ensure that exactly `users` are in the group docker, because whoever is in it is root on this server."""
    members = _engine().members
    if (members or frozenset()) != frozenset(users):
        yield script("docker/set_group", ",".join(users))
