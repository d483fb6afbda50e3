"""
Docker: the engine, Buildx and Compose from Docker's own apt repository.

Run by itself:  pyinfra inventory.py tasks/docker.py
"""

from pyinfra import host

from mstdn.docker import operations as docker
from mstdn.render import render
from mstdn.settings import settings_for

settings = settings_for(host)

docker.prerequisites(
    name="Install what the next steps call: curl, git, gpg",
)

docker.apt_repository(
    name="Trust Docker's apt repository",
    repository=settings.docker_repository,
    fingerprint=settings.docker_key_fingerprint,
)

# Before the packages: the engine then starts with it, and no restart follows.
docker.daemon(
    name="Configure the Docker daemon",
    configuration=render("docker/daemon.json.j2", settings=settings),
    users=settings.docker_users,
)

docker.packages(
    name="Install Docker Engine and Compose",
    version=settings.docker_version,
)

docker.group(
    name="Set the members of the group docker",
    users=settings.docker_users,
)
