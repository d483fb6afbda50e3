"""How a connection to a server is made, told of in words where it is not, and known to be lost."""

from __future__ import annotations

import getpass
import os
import sys
import time

from paramiko import Transport
from pyinfra.api import Host, State
from pyinfra.api.exceptions import ConnectError, PyinfraError
from pyinfra.connectors.ssh import SSHConnector
from pyinfra.connectors.ssh_util import load_key_with_certificate
from pyinfra.connectors.sshuserclient.client import get_ssh_config
from typing_extensions import override

from mstdn import way_in
from mstdn.keep_alive import Watch, send_at_once
from mstdn.way_in import Door

# Seconds. How long paramiko may take to notice that a connection has ended.
ENDING_SECONDS = 1.0
NOTHING_WAS_CHANGED = "Nothing was changed. "
_BETWEEN = {"proxycommand": "ProxyCommand", "proxyjump": "ProxyJump"}


def there_is_a_terminal() -> bool:
    """Whether getpass has somebody to ask."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return sys.stdin is not None and sys.stdin.isatty()
    return True


class RefusedError(PyinfraError):
    """The server ran no command at all. The text is for the operator."""


class LogIn(SSHConnector):
    """
    The half of the connector that has to do with the connection.

    One that dies in silence is noticed within a minute, and each SSH packet is sent at once.
    """

    def __init__(self, state: State, host: Host) -> None:
        super().__init__(state, host)
        self._watch: Watch | None = None

    @override
    def connect(self) -> None:
        """Raises ConnectError, with the remedy."""
        try:
            if self.data["ssh_key"] and not there_is_a_terminal():
                self._load_key()
            super().connect()
        # Whatever else were raised here would end the run of all hosts, with a traceback.
        except Exception as error:
            cause = error.__context__ if isinstance(error, ConnectError) and error.__context__ else error
            sentence = way_in.no_connection(self.door(), cause, self._banner())
            raise ConnectError(f"{NOTHING_WAS_CHANGED}{sentence}") from None
        transport = self._transport()
        send_at_once(transport)
        self._watch = Watch(transport)
        self._watch.start()

    def _load_key(self) -> None:
        """Load the key for pyinfra, which would ask for a passphrase although nobody is there."""
        file = self.data["ssh_key"]
        if file not in self.state.private_keys:
            self.state.private_keys[file] = load_key_with_certificate(
                file, self.data["ssh_key_password"], cwd=self.state.cwd, allow_prompt=False
            )

    def _transport(self) -> Transport:
        transport = self.client.get_transport() if self.client else None
        if transport is None:
            raise self._lost()
        return transport

    def _is_lost(self) -> bool:
        """Whether the connection ended. paramiko ends its channels first, so they may tell us a moment too early."""
        deadline = time.monotonic() + ENDING_SECONDS
        while self._transport().is_active():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def _lost(self) -> RefusedError:
        return RefusedError(way_in.lost(self.door(), silent=self._watch is not None and self._watch.silent))

    def _banner(self) -> str:
        """The server's words for people. Not by get_banner(), which knows none once the server has hung up."""
        transport = self.client.get_transport() if self.client else None
        banner = getattr(transport.auth_handler, "banner", None) if transport else None
        return banner.decode(errors="replace") if isinstance(banner, bytes) else ""

    @property
    def user(self) -> str:
        """Who logged in, as the server was told; "" before that."""
        transport = self.client.get_transport() if self.client else None
        return (transport.get_username() if transport else None) or ""

    def door(self) -> Door:
        """Where we log in, as inventory.py and ~/.ssh/config have it."""
        name = self.data["ssh_hostname"] or self.host.name
        try:
            config = get_ssh_config(self.data["ssh_config_file"])
            found = dict(config.lookup(name)) if config else {}
        except Exception:  # in a file that pyinfra could not read either, which is told in its words
            found = {}
        port = str(self.data["ssh_port"] or found.get("port", ""))
        between = [f"{word} {found[key]}" for key, word in _BETWEEN.items() if key in found]
        return Door(
            host=self.host.name,
            address=found.get("hostname", name),
            port=int(port) if port.isdigit() else 22,
            user=self.user or self.data["ssh_user"] or found.get("user", "") or _own_name(),
            key=self.data["ssh_key"] or "",
            by_way_of=between[0] if between else "",
        )


def _own_name() -> str:
    """The name with which SSH logs in when none is given; "" where this machine has no name for us."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
