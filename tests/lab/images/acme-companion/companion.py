"""
What the parts of acme-companion share: its environment, the other two containers of the proxy, files' owners.

Facts are from app/functions.sh of acme-companion 2.8.2.
"""

from __future__ import annotations

import os
import re

from docker_engine import Engine, EngineError

VERSION = "v2.8.2"
CERTIFICATES = "/etc/nginx/certs"
LABELS = {
    "nginx": ("com.github.nginx-proxy.nginx", "com.github.jrcs.letsencrypt_nginx_proxy_companion.nginx_proxy"),
    "docker-gen": (
        "com.github.nginx-proxy.docker-gen",
        "com.github.jrcs.letsencrypt_nginx_proxy_companion.docker_gen",
    ),
}
NAMES = {"nginx": "NGINX_PROXY_CONTAINER", "docker-gen": "NGINX_DOCKER_GEN_CONTAINER"}


def is_true(name: str) -> bool:
    """Whether a variable of the companion's own environment is set to a word for true."""
    return os.environ.get(name) in ("true", "True", "TRUE", "1")


def own_environment(name: str, default: str = "") -> str:
    """A variable of the companion's own, `default` where it is unset or blank."""
    return os.environ.get(name, "").strip() or default


def find_container(engine: Engine, role: str) -> str:
    """The id of the running container with the label of a role, else the name in the variable for it, else "".

    Raises EngineError.
    """
    running = engine.containers({}, everyone=False)
    for label in LABELS[role]:
        for container in running:
            if label in (container["Labels"] or {}):
                return str(container["Id"])
    return os.environ.get(NAMES[role], "")


def reload_proxy(engine: Engine) -> None:
    """Send SIGHUP to docker-gen, so that it looks at the certificates again, and to nginx. Failures are printed."""
    for role, title in (("docker-gen", "nginx docker-gen"), ("nginx", "nginx")):
        try:
            if container := find_container(engine, role):
                print(f"Reloading {title} (using separate container {container})...", flush=True)
                engine.kill(container, "SIGHUP")
        except EngineError as error:
            print(error, flush=True)


def give(path: str) -> None:
    """Owner and mode as FILES_UID, FILES_GID, FILES_PERMS and FOLDERS_PERMS have them: keys are private."""
    user = int(own_environment("FILES_UID", "0"))
    os.chown(path, user, int(own_environment("FILES_GID", str(user))), follow_symlinks=False)
    if os.path.isdir(path):
        os.chmod(path, int(own_environment("FOLDERS_PERMS", "755"), 8))
    else:
        private = re.search(r"(key\.pem|\.key)$", path)
        os.chmod(path, int(own_environment("FILES_PERMS", "600"), 8) if private else 0o644)
