"""Whether a new server lets the operator in, found out by logging in."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path

import paramiko

from mstdn.cloud import waiting
from mstdn.cloud.errors import ProvisionError

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

    Raises ProvisionError after `seconds`, or two minutes after the server began to answer and refuse.
    """
    begin = waiting.clock()
    first_refusal: float | None = None
    private_key = _private_key(public_key.with_suffix(""))
    while True:
        try:
            _log_in(address, user, private_key, port)
            return
        except paramiko.AuthenticationException:
            first_refusal = first_refusal or waiting.clock()
            refusal = _not_let_in(address, user, public_key, private_key)
            if waiting.clock() - first_refusal >= min(REFUSALS_SECONDS, seconds):
                raise refusal from None
        except (OSError, EOFError, paramiko.SSHException):
            first_refusal = None
            refusal = ProvisionError(
                f"{address} does not answer on port {port} within {round(seconds)} seconds. Look at its console at the "
                "provider: does it boot? Does the firewall let port 22 through from here (cloud_firewall_ssh_from)? If "
                "SSH listens at another port, set server_wait_seconds = 0."
            )
        if waiting.clock() - begin >= seconds:
            raise refusal
        waiting.pause(PAUSE_SECONDS)


def _private_key(file: Path) -> paramiko.PKey | None:
    """
    The key in the file; None if there is none that can be read without its passphrase, for which there are agents.

    paramiko's own key_filename would hide a refusal: it tries each kind of key, and tells of the last that did not fit.
    """
    try:
        return paramiko.PKey.from_path(file)
    except (OSError, TypeError, ValueError, paramiko.SSHException):
        return None


def _log_in(address: str, user: str, private_key: paramiko.PKey | None, port: int) -> None:
    client = paramiko.SSHClient()
    # The server is minutes old; pyinfra notes its host key at the first deploy and compares it from then on.
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())  # noqa: S507
    try:
        with socket.create_connection((address, port), timeout=10) as connection:
            client.connect(
                address,
                port,
                username=user,
                pkey=private_key,
                look_for_keys=False,
                sock=connection,
                timeout=10,
                banner_timeout=15,
                auth_timeout=15,
            )
    except paramiko.SSHException as error:
        # What paramiko says when neither a key nor an agent had anything to offer.
        if "No authentication methods available" in str(error):
            raise paramiko.AuthenticationException from None
        raise
    finally:
        client.close()


def _not_let_in(address: str, user: str, public_key: Path, private_key: paramiko.PKey | None) -> ProvisionError:
    if private_key is None:
        return ProvisionError(
            f"{address} answers, but the private key of {public_key} is not at hand: it has a passphrase or lies "
            "elsewhere. "
            f"Give it to your SSH agent: ssh-add {public_key.with_suffix('')}"
        )
    return ProvisionError(
        f"{address} answers but does not let {user} in with the key of {public_key}. At Google, an organisation's "
        "policy "
        "constraints/compute.requireOsLogin makes it ignore such keys: have it lifted for the project, or log in once "
        "by another way. Elsewhere, the server was made with another key: add this one to its authorized_keys."
    )
