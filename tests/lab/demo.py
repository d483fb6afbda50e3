"""Deploy the suite into the lab, look at the result from outside, and tell where to look further."""

import json
import shutil
import subprocess

from tests.lab import addresses, lab
from tests.lab.addresses import REPOSITORY, STATE, make
from tests.lab.commands import LabError, run, step
from tests.lab.world import World

ADDRESS = addresses.SERVERS["server"].ipv4
AUTHORITIES = str((STATE / "authorities.pem").relative_to(REPOSITORY))


def demo() -> None:
    """
    Bring the lab up, deploy, and check the site from outside.

    Raises LabError when the deployment fails or the site does not answer as it should.
    """
    lab.up()
    world = World()
    print("\nDeploy: pyinfra tests/lab/inventory.py deploy.py -y\n", flush=True)
    totals = _deploy(world)
    with step(f"Visit https://{world.domain} as another machine would"):
        version = _version_seen_by_visitor(world)
    curl = _curl_from_here(world)
    if shutil.which("curl"):
        with step("Visit it from this machine"):
            run(curl, directory=REPOSITORY)
    print(_farewell(world, version, totals, " ".join(curl)))


def _deploy(world: World) -> str:
    """Run pyinfra with its output shown as it comes; the counts in the last row of its table of results."""
    counts: list[str] = []
    with subprocess.Popen(
        world.pyinfra_command("deploy.py", options=["--limit", "server", "--yes"]),
        cwd=REPOSITORY,
        env=world.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            if line.lstrip().startswith("Grand total"):
                counts = line.replace("-", "0").split()[-3:]
    if process.returncode != 0 or not counts:
        raise LabError(
            f"The deployment failed: pyinfra says above where and why. Look around with: {make('lab-shell')}"
        )
    return "success: {}, error: {}, no change: {}".format(*counts)


def _version_seen_by_visitor(world: World) -> str:
    answer = world.visitor.run(f"curl --silent --show-error --fail https://{world.domain}/api/v2/instance").stdout
    instance = json.loads(answer)
    if instance["domain"] != world.domain:
        raise LabError(f"The site says that it is {instance['domain']}, not {world.domain}.")
    return str(instance["version"])


def _curl_from_here(world: World) -> list[str]:
    return [
        *("curl", "--silent", "--show-error", "--fail", "--cacert", AUTHORITIES),
        *("--resolve", f"{world.domain}:443:{ADDRESS}", f"https://{world.domain}/api/v2/instance"),
    ]


def _farewell(world: World, version: str, totals: str, curl: str) -> str:
    return f"""
Mastodon {version} runs on the lab's server. Operations of this run: {totals}.

  From a shell of this machine:
    {curl}
  From a browser of this machine, in a profile of its own, because nothing else should trust a throw-away authority:
    chromium --user-data-dir=/tmp/mstdn-lab-browser --ignore-certificate-errors \\
      --host-resolver-rules='MAP {world.domain} {ADDRESS}' https://{world.domain}/
  Or in any browser: add "{ADDRESS} {world.domain}" to /etc/hosts and trust {AUTHORITIES}.

  Look around on the server:  {make("lab-shell")}
  Its logs:                   the same, and there: docker compose --project-name mstdn logs --follow
  Converge again:             {make("demo")}
  A fresh bare server:        {make("lab-reset")}
  Stop and remove the lab:    {make("lab-down")}"""
