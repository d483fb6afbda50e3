"""Deploy the suite into the lab, look at the result from outside, and tell where to look further."""

import json
import subprocess

from tests.lab import lab
from tests.lab.commands import LabError, run, step
from tests.lab.inhabitants import SERVERS
from tests.lab.world import REPOSITORY, World

ADDRESS = SERVERS["server"].address


def demo() -> None:
    """
    Bring the lab up, deploy, and check the site from outside.

    Raises LabError when the deployment fails or the site does not answer as it should.
    """
    lab.up()
    world = World()
    print("\nDeploy: pyinfra tests/lab/inventory.py deploy.py\n", flush=True)
    command = world.pyinfra_command("deploy.py", options=["--limit", "server", "--yes"])
    if subprocess.run(command, cwd=REPOSITORY, env=world.environment(), check=False).returncode != 0:
        raise LabError(
            "The deployment failed; pyinfra says above where and why. Nothing was removed: see `make lab-shell`."
        )
    print()
    with step(f"Visit https://{world.domain} as another machine would"):
        version = _version_seen_by_visitor(world)
    curl = _curl_from_here(world)
    with step("Visit it from this machine"):
        run(curl)
    print(_farewell(world, version, " ".join(curl)))


def _version_seen_by_visitor(world: World) -> str:
    answer = world.visitor.run(f"curl --silent --show-error --fail https://{world.domain}/api/v2/instance").stdout
    instance = json.loads(answer)
    if instance["domain"] != world.domain:
        raise LabError(f"The site says that it is {instance['domain']}, not {world.domain}.")
    return str(instance["version"])


def _curl_from_here(world: World) -> list[str]:
    return [
        *("curl", "--silent", "--show-error", "--fail", "--cacert", ".lab/authorities.pem"),
        *("--resolve", f"{world.domain}:443:{ADDRESS}", f"https://{world.domain}/api/v2/instance"),
    ]


def _farewell(world: World, version: str, curl: str) -> str:
    log = "docker compose --project-name mstdn logs --follow"
    return f"""
Mastodon {version} runs on the lab's server.

  From a shell of this machine:
    {curl}
  From a browser of this machine (its own profile, because the authority is a throw-away one):
    chromium --user-data-dir=/tmp/mstdn-lab-browser --ignore-certificate-errors \\
      --host-resolver-rules='MAP {world.domain} {ADDRESS}' https://{world.domain}/
  Or for any browser: add "{ADDRESS} {world.domain}" to /etc/hosts and trust .lab/authorities.pem.

  Look around on the server:    make lab-shell
  Its logs:                     make lab-shell, then: {log}
  Converge again:               make demo
  A fresh bare server:          make lab-reset
  Stop and remove the lab:      make lab-down"""
