"""
What acme-companion's entrypoint looks at before the start. Exits with 1 on what it refuses.

Facts are from app/entrypoint.sh of acme-companion 2.8.2.
"""

from __future__ import annotations

import os
import shutil
import socket
import stat
import sys

from companion import CERTIFICATES, VERSION, find_container, give, is_true, own_environment, reload_proxy
from docker_engine import Engine, EngineError, endpoint_from_environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

HTML = "/usr/share/nginx/html"
DHPARAM_BITS = ("2048", "3072", "4096")
UNMODELLED = ("ACME_HTTP_CHALLENGE_LOCATION", "CREATE_DEFAULT_CERTIFICATE", "DOCKER_TLS_VERIFY")


def refuse(*lines: str) -> NoReturn:
    """Print why on standard error, and exit with 1."""
    print("\n".join(lines), file=sys.stderr, flush=True)
    sys.exit(1)


def main() -> None:
    """Check, set up what certificates need, and let the proxy look at them."""
    engine = Engine(endpoint_from_environment())
    print(f"Info: running acme-companion version {VERSION}", flush=True)
    for name in UNMODELLED:
        if is_true(name):
            refuse(f"Error: {name} is not modelled by this stand-in")
    if os.path.exists("/app/letsencrypt_user_data"):
        refuse("Error: standalone certificates are not modelled by this stand-in")
    _check_socket(engine.endpoint)
    try:
        _check_containers(engine)
    except EngineError as error:
        refuse(f"Error: can't get nginx-proxy container ID ! ({error})")
    mounts = _mounts(engine)
    for directory in (CERTIFICATES, "/etc/acme.sh"):
        _warn_unless_mounted(directory, mounts)
        if not os.path.isdir(directory):
            refuse(
                f"Error: can't access to '{directory}' directory !",
                f"Check that '{directory}' directory is declared as a writable volume.",
            )
        if not _is_writable(directory):
            refuse(
                f"Error: can't write to the '{directory}' directory !",
                f"Check that '{directory}' directory is export as a writable volume.",
            )
    _warn_unless_mounted(HTML, mounts)
    if not os.path.isdir(HTML) or not _is_writable(HTML):
        print(
            f"Warning: can't access or write to '{HTML}' directory. "
            "This will prevent HTML-01 challenges from working correctly.",
            flush=True,
        )
    _set_up_dhparam()
    reload_proxy(engine)


def _check_socket(endpoint: str) -> None:
    scheme, _, path = endpoint.partition("://")
    if scheme == "unix" and not (os.path.exists(path) and stat.S_ISSOCK(os.stat(path).st_mode)):
        refuse(
            f"Error: you need to share your Docker host socket with a volume at {path}",
            f"Typically you should run your container with: '-v /var/run/docker.sock:{path}:ro'",
        )


def _check_containers(engine: Engine) -> None:
    if not find_container(engine, "nginx"):
        refuse(
            "Error: can't get nginx-proxy container ID !",
            "Check that you are doing one of the following :",
            "\t- Set the NGINX_PROXY_CONTAINER env var on the letsencrypt-companion container"
            " to the name of the nginx-proxy container.",
            "\t- Label the nginx-proxy container to use with 'com.github.nginx-proxy.nginx'.",
        )
    if not find_container(engine, "docker-gen"):
        refuse(
            "Error: can't get docker-gen container id !",
            "If you are running a three containers setup, check that you are doing one of the following :",
            "\t- Set the NGINX_DOCKER_GEN_CONTAINER env var on the letsencrypt-companion container"
            " to the name of the docker-gen container.",
            "\t- Label the docker-gen container to use with 'com.github.nginx-proxy.docker-gen'.",
        )


def _mounts(engine: Engine) -> set[str] | None:
    """Where volumes are mounted in this container; None where it cannot find itself by its host name."""
    try:
        description = engine.get(f"/containers/{socket.gethostname()}/json")
    except EngineError:
        return None
    return {mount["Destination"] for mount in description["Mounts"]}


def _warn_unless_mounted(directory: str, mounts: set[str] | None) -> None:
    if mounts is None:
        print(f"Warning: can't check if '{directory}' is a mounted volume without self container ID.", flush=True)
    elif directory not in mounts:
        print(f"Warning: '{directory}' does not appear to be a mounted volume.", flush=True)


def _is_writable(directory: str) -> bool:
    probe = f"{directory}/.check_writable"
    try:
        with open(probe, "w"):
            pass
        os.remove(probe)
    except OSError:
        return False
    return True


def _set_up_dhparam() -> None:
    if is_true("DHPARAM_SKIP"):
        print("Info: Skipping Diffie-Hellman group setup.", flush=True)
        return
    bits = own_environment("DHPARAM_BITS", "4096")
    if bits not in DHPARAM_BITS:
        refuse(f"Error: Unsupported DHPARAM_BITS size: {bits}. Supported values are 2048, 3072, or 4096 (default).")
    path = f"{CERTIFICATES}/dhparam.pem"
    groups = {each: _read(f"/app/dhparam/ffdhe{each}.pem") for each in DHPARAM_BITS}
    present = _read(path) if os.path.exists(path) else None
    if present == groups[bits]:
        print(f"Info: {bits} bits RFC7919 Diffie-Hellman group found, generation skipped.", flush=True)
    elif present is not None and present not in groups.values():
        print(
            "Info: A custom dhparam.pem file was provided. "
            "Best practice is to use standardized RFC7919 Diffie-Hellman groups instead.",
            flush=True,
        )
    else:
        print(f"Info: Setting up {bits} bits RFC7919 Diffie-Hellman group...", flush=True)
        shutil.copyfile(f"/app/dhparam/ffdhe{bits}.pem", f"{path}.tmp")
        os.replace(f"{path}.tmp", path)
    give(path)


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


if __name__ == "__main__":
    main()
