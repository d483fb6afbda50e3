"""
The providers of the lab, for as long as somebody wants them: empty accounts, real names, machines that exist.

    python -m tests.lab clouds

The stand-ins (tests/stand_ins) run in the inhabitant `clouds`. What they cannot do there, start a machine, they order
here, over the standard input and output of one `docker exec`. With that line everything ends.
"""

import json
import queue
import subprocess
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from tests.lab import addresses, inhabitants, lab
from tests.lab.commands import LabError, step
from tests.lab.engine import Engine
from tests.lab.inhabitants import CLOUDS, INTERNET

IMAGES = {"debian-13": "13", "debian-12": "12"}
PROGRAM = ("python3", "-m", "tests.lab.images.clouds.providers")
ANSWER_SECONDS = 120.0
# A zone at each provider of DNS, and one that its owner keeps by hand.
ZONES = {
    "meadow.example": "route53",
    "harbour.example": "cloudflare",
    "forest.example": "hetzner",
    "island.example": "",
}


class Clouds:
    """
    The providers while the `with` lasts.

    Raises LabError when the lab is not up, or somebody else has them.
    """

    def __init__(self) -> None:
        self._engine = lab.running()
        self._answers: queue.Queue[Any] = queue.Queue()
        self._process: subprocess.Popen[str] | None = None
        self._last_words: list[str] = []

    def __enter__(self) -> "Clouds":
        remove_machines(self._engine)
        # Between two sessions so much time passes that resolvers forget.
        self._engine.run("exec", INTERNET.container, "sh", "-c", "kill -HUP $(cat /run/dnsmasq.pid)")
        self._process = subprocess.Popen(
            ["docker", "exec", "--interactive", CLOUDS.container, *PROGRAM],
            env=self._engine.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for read in (self._read, self._listen):
            threading.Thread(target=read, args=(self._process,), daemon=True).start()
        self._say(_world())
        self._answer()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process and self._process.stdin:
            self._process.stdin.close()
            self._process.wait()
        remove_machines(self._engine)

    def ask(self, question: str, **words: Any) -> Any:
        """What the providers know, or do when somebody sits at their consoles: see images/clouds/providers.py."""
        self._say({"ask": question, **words})
        return self._answer()

    def _say(self, message: Mapping[str, Any]) -> None:
        assert self._process and self._process.stdin
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()

    def _answer(self) -> Any:
        try:
            answer = self._answers.get(timeout=ANSWER_SECONDS)
        except queue.Empty:
            answer = None
        if answer is None:
            words = "".join(self._last_words[-20:])
            raise LabError(f"The lab's providers do not answer. Does somebody else use them?\n{words}")
        return answer["answer"]

    def _read(self, process: subprocess.Popen[str]) -> None:
        for line in process.stdout or ():
            message = json.loads(line)
            if "boot" in message:
                self._say({"booted": _boot(self._engine, message["boot"])})
            else:
                self._answers.put(message)
        self._answers.put(None)

    def _listen(self, process: subprocess.Popen[str]) -> None:
        for line in process.stderr or ():
            self._last_words.append(line)


def remove_machines(engine: Engine) -> None:
    """Remove all machines that providers made."""
    for machine in inhabitants.MADE.values():
        inhabitants.remove(engine, machine)


def serve() -> None:
    """Have the providers until somebody presses Ctrl-C."""
    with step("Open the lab's providers"):
        clouds = Clouds()
        clouds.__enter__()
    try:
        print(f"Zones: {ZONES}. How to reach them: docs/lab.md. Ctrl-C ends it, and removes what was made.")
        threading.Event().wait()
    finally:
        clouds.__exit__(None, None, None)


def _world() -> dict[str, Any]:
    return {
        "own": addresses.CLOUDS.ipv4,
        "name_servers": [address.ipv4 for address in addresses.NAME_SERVERS],
        "zones": ZONES,
        "machines": [
            {"public": public.ipv4, "private": private.ipv4, "ipv6": addresses.MADE_NETWORKS[name]}
            for name, (public, private) in addresses.MADE.items()
        ],
    }


def _boot(engine: Engine, order: Mapping[str, Any]) -> bool:
    name = next(name for name, (_, private) in addresses.MADE.items() if private.ipv4 == order["private"])
    if order["image"] not in IMAGES:
        return False
    inhabitants.replace(engine, inhabitants.made(name, IMAGES[order["image"]], order["ipv6"], order["keys"]))
    return True
