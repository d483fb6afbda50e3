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
    from collections.abc import Callable, Iterable, Mapping
    from typing import NoReturn

# What docker-gen always listens for; -event-filter only adds to it.
EVENTS = ("start", "stop", "die", "health_status")
PAUSE_SECONDS = 10  # between attempts to reach the engine, and of silence before it is pinged
# Milliseconds before each further attempt to open the stream of events, within one of those.
RETRIES_MILLISECONDS = (10, 20, 40, 80, 160)
# How many streams a broken docker-gen holds. Of the real one's, 37 to 2,185 were seen.
STREAMS_WHEN_BROKEN = 40
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
            # Like Go's os.WriteFile: emptied, and then filled by one call.
            with open(self.destination, "wb", buffering=0) as current:
                current.write(text.encode())
        except OSError as error:
            fatal(f"Unable to write to dest file {self.destination}: {error}")
        return True


class StreamError(Exception):
    """The stream of events broke, or what came is no event."""


class Watcher:
    """Follows the engine's events; calls `regenerate` at the start, after events and on SIGHUP.

    `wait` is the least time from the last event, and the most from the first, to the call, in seconds.

    Where the stream breaks, or is not JSON, it does not hear another event and does not say so. In event.go of
    go-dockerclient 1.13.2, every error but the stream's end is met again and again; each time one more stream is
    opened, until the events of all of them fill a queue whose only reader waits for those that write to it.
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
            opened = self._open_stream()
            log("Watching docker events")
            self.regenerate()
            if opened is None:
                self._pause_interrupted()
                continue
            with opened[0]:
                try:
                    self._follow(*opened)
                except EOFError:
                    self._pause_interrupted()
                except StreamError:
                    self._break_down()

    def _open_stream(self) -> tuple[socket.socket, bytes] | None:
        for milliseconds in (*RETRIES_MILLISECONDS, 0):
            try:
                return self.engine.events(self.events)
            except EngineError:
                time.sleep(milliseconds / 1000)
        return None

    def _break_down(self) -> None:
        """What a broken stream leads to: many more, whose first event makes docker-gen deaf until it is restarted.

        Before that event, it panics where they end or the engine cannot be pinged. Signals are obeyed all the time.
        """
        streams: dict[int, socket.socket] = {}
        heard = False
        while not self.stopped and not heard:
            if not streams:
                opened = [self._open_stream() for _ in range(STREAMS_WHEN_BROKEN)]
                streams = {stream.fileno(): stream for stream, unread in filter(None, opened) if not unread}
            blocks = [_read(streams.pop(descriptor)) for descriptor in self._wait(PAUSE_SECONDS, streams)]
            heard = any(block.startswith(b"{") for block in blocks)
            if not heard and not self.stopped and (b"" in blocks or not (blocks or self._ping())):
                print("panic: send on closed channel", file=sys.stderr, flush=True)
                sys.exit(2)
        while not self.stopped and self._ping():
            self._wait(PAUSE_SECONDS, ())
        while not self.stopped:  # Nor is the engine pinged any more.
            self._wait(PAUSE_SECONDS, ())

    def _ping(self) -> bool:
        try:
            self.engine.get("/_ping")
        except EngineError as error:
            log(f"Unable to ping docker daemon: {error}")
            return False
        return True

    def _pause_interrupted(self) -> None:
        log("Docker daemon connection interrupted")
        self._wait(PAUSE_SECONDS, ())

    def _wait(self, seconds: float, descriptors: Iterable[int]) -> list[int]:
        """Descriptors that can be read, none after `seconds`. Signals are handled meanwhile."""
        end = time.monotonic() + seconds
        poll = select.poll()
        for descriptor in (self.signals, *descriptors):
            poll.register(descriptor, select.POLLIN)
        while not self.stopped and (left := end - time.monotonic()) > 0:
            ready = [descriptor for descriptor, _ in poll.poll(left * 1000)]
            if self.signals in ready:
                self._handle_signals()
                ready.remove(self.signals)
            if ready:
                return ready
        return []

    def _follow(self, stream: socket.socket, unread: bytes) -> None:
        """Return when told to stop, or when the engine cannot be pinged. Raises EOFError, StreamError."""
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
                except OSError as error:
                    raise StreamError from error
                if not block:
                    raise EOFError
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
                if not self._ping():
                    return

    def _handle_signals(self) -> None:
        for number in os.read(self.signals, 64):
            if number in SIGNAL_NAMES:
                log(f"Received signal: {SIGNAL_NAMES[signal.Signals(number)]}")
            if number in self.actions:
                self.actions[number]()
            else:
                self.stopped = True


def _read(stream: socket.socket) -> bytes:
    try:
        return stream.recv(65536)
    except OSError:
        return b""


def _log_event(line: bytes) -> None:
    try:
        event = json.loads(line)
    except ValueError as error:
        raise StreamError from error
    if event.get("time"):
        log(f"Received event {event['Action']} for {event['Type']} {event['Actor']['ID'][:12]}")
