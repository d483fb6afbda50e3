"""The lab's commands: python -m tests.lab up|down|reset|reboot|shell|clean|demo|clouds [server...]"""

import argparse
import subprocess
import sys
from collections.abc import Callable

from tests.lab import clouds, lab
from tests.lab.commands import LabError
from tests.lab.demo import demo
from tests.lab.inhabitants import SERVERS


def shell(name: str = "server") -> None:
    """Become a root shell on a server."""
    current = lab.running()
    command = ["docker", "exec", "--interactive", "--tty", SERVERS[name].container, "bash"]
    subprocess.run(command, env=current.environment, check=False)


COMMANDS: dict[str, Callable[..., None]] = {
    "up": lab.up,
    "down": lab.down,
    "reset": lab.reset,
    "reboot": lab.reboot,
    "shell": shell,
    "clean": lab.clean,
    "demo": demo,
    "clouds": clouds.shell,
}


def main() -> None:
    """Run one command. Errors of the lab are shown without a traceback."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab")
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("servers", nargs="*", choices=[[], *SERVERS])
    arguments = parser.parse_args()
    try:
        COMMANDS[arguments.command](*arguments.servers)
    except LabError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("Stopped. The same command goes on from here.")


if __name__ == "__main__":
    main()
