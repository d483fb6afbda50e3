"""
pyinfra, as if a server of the lab were far away: its connections to the server go through a relay.

    LAB_DISTANCE='{"host": "<address>", "round_trip": <seconds>, "ports": {"22": <port of the relay>, ...}}'
    python -m tests.lab.distant <arguments of pyinfra>

A relay answers a connection at once, so the round trip that opening one takes is waited for here. Ports that the relay
does not know are closed on the server: that is what a round trip tells, too.
"""

import json
import os
import socket
import sys
import time
from typing import Any

from pyinfra_cli.main import main  # type: ignore[import-untyped]  # it replaces the parts of socket and time that block, so it comes first


def put_at_a_distance(host: str, round_trip: float, ports: dict[str, int]) -> None:
    """Lead all connections of this process to `host` to the relay's ports."""
    connect = socket.socket.connect

    def connect_from_afar(self: socket.socket, address: Any) -> None:
        if self.family == socket.AF_INET and self.type == socket.SOCK_STREAM and address[0] == host:
            time.sleep(round_trip)
            if str(address[1]) in ports:
                address = ("127.0.0.1", ports[str(address[1])])
        connect(self, address)

    socket.socket.connect = connect_from_afar  # type: ignore[method-assign, assignment]


if __name__ == "__main__":
    put_at_a_distance(**json.loads(os.environ["LAB_DISTANCE"]))
    sys.exit(main())
