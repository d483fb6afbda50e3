"""Whether a new server lets the operator in, found out by logging in."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path

import paramiko

from mstdn.cloud import waiting
from mstdn.cloud.trouble import Trouble

PAUSE_SECONDS = 3.0
# A server that answers may still be writing the key to its place.
REFUSALS_SECONDS = 120.0


def wait_until_it_lets_in(
    address: str,
    user: str,
    public_key: Path,
    seconds: float,
    port: int = 22,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """
    Log in as `user` with the private key that belongs to `public_key`, from its file or an agent, until it works.

    Raises Trouble after `seconds`, or two minutes after the server began to answer and refuse.
    """
    begin = waiting.clock()
    first_refusal: float | None = None
    while True:
        try:
            _log_in(address, user, public_key, port)
            return
        except paramiko.PasswordRequiredException:
            raise Trouble(
                f"The private key of {public_key} has a passphrase. Give it to your SSH agent: ssh-add "
                f"{public_key.with_suffix('')}"
            ) from None
        except paramiko.AuthenticationException:
            first_refusal = first_refusal or waiting.clock()
            trouble = _not_let_in(address, user, public_key)
            patience = min(REFUSALS_SECONDS, seconds)
            if waiting.clock() - first_refusal >= patience:
                raise trouble from None
        except (OSError, EOFError, paramiko.SSHException):
            first_refusal = None
            trouble = Trouble(
                f"{address} does not answer on port {port} within {round(seconds)} seconds. Look at its console at the "
                "provider: does it boot? Does the firewall let port 22 through from here (cloud_firewall_ssh_from)?"
            )
        if waiting.clock() - begin >= seconds:
            raise trouble
        waiting.pause(PAUSE_SECONDS)


def _log_in(address: str, user: str, public_key: Path, port: int) -> None:
    private_key = public_key.with_suffix("")
    client = paramiko.SSHClient()
    # The server is minutes old; pyinfra notes its host key at the first deploy and compares it from then on.
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())  # noqa: S507
    try:
        with socket.create_connection((address, port), timeout=10) as connection:
            client.connect(
                address,
                port,
                username=user,
                key_filename=str(private_key) if private_key.is_file() else None,
                look_for_keys=False,
                sock=connection,
                timeout=10,
                banner_timeout=15,
                auth_timeout=15,
            )
    finally:
        client.close()


def _not_let_in(address: str, user: str, public_key: Path) -> Trouble:
    return Trouble(
        f"{address} answers but does not let {user} in with the key of {public_key}. At Google, an organisation's "
        "policy "
        "constraints/compute.requireOsLogin makes it ignore such keys: have it lifted for the project, or log in once "
        "by another way. Elsewhere, the server was made with another key: add this one to its authorized_keys."
    )
