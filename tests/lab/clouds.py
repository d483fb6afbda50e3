"""
The providers of the lab, for as long as somebody wants them: empty accounts, real names, machines that exist.

    python -m tests.lab clouds

The stand-ins (tests/stand_ins) run in the inhabitant `clouds`. What they cannot do there, start a machine, they order
here, over the standard input and output of one `docker exec`. With that line everything ends. By hand, one gets a shell
on an operator's computer with it.
"""

import fcntl
import json
import queue
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.lab import addresses, inhabitants, lab
from tests.lab.addresses import STATE
from tests.lab.commands import LabError
from tests.lab.desk import Desk
from tests.lab.engine import Engine
from tests.lab.inhabitants import CLOUDS, INTERNET

IMAGES = {"debian-13": "13", "debian-12": "12"}
LOCK = STATE / "clouds.lock"
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
    """The providers, as opened() gives them."""

    def __init__(self, engine: Engine) -> None:
        self._answers: queue.Queue[Any] = queue.Queue()
        self._last_lines: list[str] = []
        self._orders: list[threading.Thread] = []
        self._faults: list[LabError] = []
        self._process = subprocess.Popen(
            ["docker", "exec", "--interactive", CLOUDS.container, *PROGRAM],
            env=engine.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def open(self) -> None:
        """Tell them what the lab has to give, and wait until they answer. Raises LabError when they do not."""
        self._say(_world())
        self._answer()

    def close(self) -> None:
        """Have them end."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()
        for order in self._orders:
            order.join()

    def ask(self, question: str, **words: Any) -> Any:
        """
        What the providers know, or do when somebody sits at their consoles: see images/clouds/providers.py.

        Raises LabError when they do not answer, or a machine that was ordered could not be made.
        """
        if self._faults:
            raise self._faults[0]
        self._say({"ask": question, **words})
        return self._answer()

    def _say(self, message: Mapping[str, Any]) -> None:
        assert self._process.stdin
        try:
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:  # they have ended: the answer that does not come tells it
            pass

    def _answer(self) -> Any:
        try:
            answer = self._answers.get(timeout=ANSWER_SECONDS)
        except queue.Empty:
            answer = None
        if answer is None:
            # Where they have ended, their last lines may still be on the way.
            self._listener.join(5)
            lines = "".join(self._last_lines[-20:])
            raise LabError(f"The lab's providers do not answer. Their last lines:\n{lines}")
        return answer["answer"]

    def _read(self) -> None:
        for line in self._process.stdout or ():
            message = json.loads(line)
            if "boot" in message:
                # Beside: who reads here must hear the answers meanwhile.
                self._orders.append(threading.Thread(target=self._make, args=(message["boot"],)))
                self._orders[-1].start()
            else:
                self._answers.put(message)
        self._answers.put(None)

    def _make(self, order: Mapping[str, Any]) -> None:
        try:
            _boot(order)
        except LabError as error:
            self._faults.append(error)

    def _listen(self) -> None:
        for line in self._process.stderr or ():
            self._last_lines.append(line)


@contextmanager
def opened() -> Iterator[Clouds]:
    """
    The providers while the `with` lasts; then what they made is removed.

    Raises LabError when the lab is not up, or somebody else has them.
    """
    engine = lab.running()
    with LOCK.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LabError("Somebody else uses the lab's providers. Wait, or take another lab.") from None
        remove_machines(engine)
        # Between two sessions so much time passes that resolvers forget.
        engine.run("exec", INTERNET.container, "sh", "-c", "kill -HUP $(cat /run/dnsmasq.pid)")
        clouds = Clouds(engine)
        try:
            clouds.open()
            yield clouds
        finally:
            clouds.close()
            remove_machines(engine)


def remove_machines(engine: Engine) -> None:
    """Remove all machines that providers made."""
    for machine in inhabitants.MADE.values():
        inhabitants.remove(engine, machine)


def shell() -> None:
    """A shell on an operator's computer, with keys for all providers. They end, and what they made goes, with it."""
    with opened() as clouds, tempfile.TemporaryDirectory() as directory:
        desk = Desk(Path(directory))
        desk.take_keys(clouds.ask("key_file"))
        zones = ", ".join(f"{zone} ({who or 'by hand'})" for zone, who in ZONES.items())
        print(
            f"The accounts are empty. Zones: {zones}.\n"
            "The keys are in secrets.env. Say what you want in group_data/mastodon.py (docs/provisioning.md; for Google"
            ' also server_project = "my-project"), then: pyinfra @local provision.py --dry\n'
            "ssh looks for keys in your own home: ssh -i ~/.ssh/id_ed25519 -o UserKnownHostsFile=~/.ssh/known_hosts …"
        )
        subprocess.run(desk.command("bash"), cwd=desk.suite, env=desk.environment(), check=False)


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


def _boot(order: Mapping[str, Any]) -> None:
    """Make the machine. Raises LabError."""
    name = next(name for name, (_, private) in addresses.MADE.items() if private.ipv4 == order["private"])
    if order["image"] not in IMAGES:
        raise LabError(f"The lab has no image {order['image']}, only {' and '.join(IMAGES)}: set server_image.")
    lab.make(inhabitants.made(name, IMAGES[order["image"]], order["ipv6"], order["keys"]))
