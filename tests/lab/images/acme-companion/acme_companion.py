"""
acme-companion: gets and renews the certificates of the containers behind nginx-proxy.

A stand-in for acme-companion 2.8.2 in its three-container form; README.md beside this file says what it honours.
This process watches and waits; each round is a process of its own, so that its memory is given back.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

from companion import own_environment
from docker_engine import Engine, endpoint_from_environment
from docker_gen import Generator, Watcher, fatal, log, parse_wait
from service_data import SERVICE_DATA, render_service_data

SERVICE = f"{os.path.dirname(__file__)}/certificate_service.py"


def keep_up(wake: threading.Event, interval_seconds: float) -> None:
    """Run a round at once, after every interval, and whenever `wake` is set."""
    command = [sys.executable, "-ES", SERVICE]
    while True:
        wake.clear()
        os.waitpid(os.posix_spawn(sys.executable, command, os.environ), 0)
        print(f"Sleep for {interval_seconds:g}s", flush=True)
        wake.wait(interval_seconds)


def main() -> None:
    """Look after the certificates until SIGTERM; SIGUSR1 starts a round."""
    try:
        wait = parse_wait(own_environment("DOCKER_GEN_WAIT", "5s:20s"))
    except ValueError as error:
        fatal(f"Error parsing wait interval: {error}")
    wake = threading.Event()

    def notify() -> None:
        log("Running 'signal_le_service'")
        wake.set()

    engine = Engine(endpoint_from_environment())
    generator = Generator(engine, SERVICE_DATA, render_service_data, notify, {}, "signal_le_service")
    interval_seconds = float(own_environment("CERTS_UPDATE_INTERVAL", "3600"))
    threading.Thread(target=keep_up, args=(wake, interval_seconds), daemon=True).start()
    generator.generate()
    Watcher(engine, (), wait, generator.generate, {signal.SIGUSR1: wake.set}).run()


if __name__ == "__main__":
    main()
