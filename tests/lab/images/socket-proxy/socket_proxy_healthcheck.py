"""The health check of socket-proxy's image: exit code 0 while HEAD http://127.0.0.1:55555/health says 200."""

from __future__ import annotations

import socket
import sys

TIMEOUT_SECONDS = 10


def main() -> None:
    """Ask once."""
    try:
        with socket.create_connection(("127.0.0.1", 55555), TIMEOUT_SECONDS) as connection:
            connection.sendall(b"HEAD /health HTTP/1.0\r\n\r\n")
            status = connection.recv(64).split()[1].decode()
    except (OSError, IndexError) as error:
        sys.exit(f"error doing health check: {error}")
    if status != "200":
        sys.exit(f"health check failed, got status: {status}")


if __name__ == "__main__":
    main()
