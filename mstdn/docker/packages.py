"""Names of Docker's packages and of the files that belong to them."""

KEYRING = "/etc/apt/keyrings/docker.asc"
SOURCES = "/etc/apt/sources.list.d/docker.sources"
DAEMON_JSON = "/etc/docker/daemon.json"
# docker-ce and docker-ce-cli carry the engine's version, the others have versions of their own.
ENGINE_PACKAGES = ("docker-ce", "docker-ce-cli")
PACKAGES = (*ENGINE_PACKAGES, "containerd.io", "docker-buildx-plugin", "docker-compose-plugin")
# What the suite itself needs on the server: curl and gpg for the key, git for the checkout.
PREREQUISITES = ("ca-certificates", "curl", "git", "gpg")
