"""
docker-gen: writes a file from what the containers say of themselves, and again whenever they change.

A stand-in for docker-gen 0.17.2; README.md beside this file says what it honours. The facts are from that
project's cmd/docker-gen/main.go and internal/generator/generator.go.
"""

from __future__ import annotations

import json
import os
import re
import select
import signal
import sys
import time

from docker_engine import Container, Engine, EngineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping
    from typing import NoReturn

# What docker-gen always listens for; -event-filter only adds to it.
EVENTS = ("start", "stop", "die", "health_status")
PAUSE_SECONDS = 10  # between attempts to reach the engine, and of silence before it is pinged
SIGNAL_NAMES = {signal.SIGHUP: "hangup", signal.SIGINT: "interrupt", signal.SIGTERM: "terminated"}


def log(message: str) -> None:
    """One line on standard error, in the form of Go's log package."""
    print(time.strftime("%Y/%m/%d %H:%M:%S"), message, file=sys.stderr, flush=True)


def fatal(message: str) -> NoReturn:
    """Log and exit with 1, which is how docker-gen treats whatever it cannot write."""
    log(message)
    sys.exit(1)


def seconds(duration: str) -> float:
    """Seconds in a duration of the form 100ms or 5s. Raises ValueError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m)", duration.strip())
    if not found:
        raise ValueError(f'time: invalid duration "{duration}"')
    return float(found[1]) * {"ms": 0.001, "s": 1, "m": 60}[found[2]]


def parse_wait(text: str) -> tuple[float, float]:
    """The least and the most seconds from an event to its effect: "MIN:MAX" or "MIN". Raises ValueError."""
    if not text.strip():
        return 0, 0
    least, _, most = text.partition(":")
    wait = seconds(least), seconds(most) if most else 4 * seconds(least)
    if wait[1] < wait[0]:
        raise ValueError("invalid wait interval: max must be larger than min")
    return wait


class Generator:
    """Writes to `destination` what `render` makes of the containers; calls `notify` when that changed."""

    def __init__(
        self,
        engine: Engine,
        destination: str,
        render: Callable[[list[Container]], str],
        notify: Callable[[], None],
        container_filter: Mapping[str, list[str]],
        notify_command: str = "",
    ) -> None:
        self.engine = engine
        self.destination = destination
        self.render = render
        self.notify = notify
        self.container_filter = {"status": ["running"]} | dict(container_filter)
        self.notify_command = notify_command  # only named in a message

    def generate(self) -> None:
        """Bring the file up to date. A mute engine is logged; a file that cannot be written is fatal."""
        try:
            containers = self._containers()
        except EngineError as error:
            log(f"Error listing containers: {error}")
            return
        if not self._write(self.render(containers)):
            unchanged = f"Contents of {self.destination} did not change."
            log(f"{unchanged} Skipping notification '{self.notify_command}'")
            return
        log(f"Generated '{self.destination}' from {len(containers)} containers")
        self.notify()

    def _containers(self) -> list[Container]:
        try:
            self.engine.get("/info")
        except EngineError as error:
            log(f"Error retrieving docker server info: {error}")
        summaries = self.engine.containers(self.container_filter, everyone=True)
        self.engine.get("/networks")
        containers = []
        for summary in summaries:
            try:
                containers.append(Container(self.engine.get(f"/containers/{summary['Id']}/json")))
            except EngineError as error:
                log(f"Error inspecting container: {summary['Id']}: {error}")
        return containers

    def _write(self, text: str) -> bool:
        """Write in place (docker-gen does not rename, so a reader can meet half a file); tell whether to."""
        try:
            with open(self.destination) as current:
                if current.read() == text:
                    return False
        except FileNotFoundError:
            pass
        except OSError as error:
            fatal(f"Unable to compare current file contents: {self.destination}: {error}")
        try:
            with open(self.destination, "w") as current:
                current.write(text)
        except OSError as error:
            fatal(f"Unable to write to dest file {self.destination}: {error}")
        return True


class Watcher:
    """Follows the engine's events; calls `regenerate` at the start, after events and on SIGHUP.

    `wait` is the least time from the last event, and the most from the first, to the call, in seconds.
    """

    def __init__(
        self,
        engine: Engine,
        further_events: tuple[str, ...],
        wait: tuple[float, float],
        regenerate: Callable[[], None],
        further_signals: Mapping[int, Callable[[], None]],
    ) -> None:
        self.engine = engine
        self.events = {"event": [*EVENTS, *further_events]}
        self.wait_least, self.wait_most = wait
        self.regenerate = regenerate
        self.actions = {signal.SIGHUP: regenerate, **further_signals}
        self.stopped = False

    def run(self) -> None:
        """Return on SIGTERM or SIGINT only."""
        self.signals, write_end = os.pipe()
        os.set_blocking(write_end, False)
        signal.set_wakeup_fd(write_end)
        for number in (signal.SIGTERM, signal.SIGINT, *self.actions):
            signal.signal(number, lambda *_: None)
        while not self.stopped:
            try:
                stream, unread = self.engine.events(self.events)
            except EngineError as error:
                log(f"Error registering docker event listener: {error}")
            else:
                log("Watching docker events")
                self.regenerate()
                with stream:
                    self._follow(stream, unread)
            if not self.stopped:
                self._pause()

    def _pause(self) -> None:
        end = time.monotonic() + PAUSE_SECONDS
        poll = select.poll()
        poll.register(self.signals, select.POLLIN)
        while not self.stopped and (left := end - time.monotonic()) > 0:
            if poll.poll(left * 1000):
                self._handle_signals()

    def _follow(self, stream: socket.socket, unread: bytes) -> None:
        poll = select.poll()
        poll.register(self.signals, select.POLLIN)
        poll.register(stream, select.POLLIN)
        heard = time.monotonic()
        due: list[float] = []  # when to regenerate: the least wait since the last event, the most since the first
        while not self.stopped:
            *lines, unread = unread.split(b"\n")
            for line in filter(None, lines):
                _log_event(line)
                due = [heard + self.wait_least, due[1] if due else heard + self.wait_most]
            left = min([heard + PAUSE_SECONDS, *due]) - time.monotonic()
            ready = [descriptor for descriptor, _ in poll.poll(max(0, left) * 1000)]
            if self.signals in ready:
                self._handle_signals()
            if stream.fileno() in ready:
                try:
                    block = stream.recv(65536)
                except OSError:
                    block = b""
                if not block:
                    log("Docker daemon connection interrupted")
                    return
                heard = time.monotonic()
                unread += block
                continue
            now = time.monotonic()
            if due and now >= min(due):
                if self.wait_least:
                    log(f"Debounce {'minTimer' if now >= due[0] else 'maxTimer'} fired")
                due = []
                self.regenerate()
            elif now >= heard + PAUSE_SECONDS:
                heard = now
                try:
                    self.engine.get("/_ping")
                except EngineError as error:
                    log(f"Unable to ping docker daemon: {error}")
                    return

    def _handle_signals(self) -> None:
        for number in os.read(self.signals, 64):
            if number in SIGNAL_NAMES:
                log(f"Received signal: {SIGNAL_NAMES[signal.Signals(number)]}")
            if number in self.actions:
                self.actions[number]()
            else:
                self.stopped = True


def _log_event(line: bytes) -> None:
    event = json.loads(line)
    log(f"Received event {event['Action']} for {event['Type']} {event['Actor']['ID'][:12]}")
