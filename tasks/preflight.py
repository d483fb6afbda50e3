"""
Preflight: whatever can be refused is refused here, all at once and before the first change. It changes nothing.

Run alone:  pyinfra inventory.py tasks/preflight.py
"""

import time

from pyinfra import host, logger
from pyinfra.api.exceptions import DeployError

from mstdn.preflight import findings, names_to_look_up
from mstdn.preflight.facts import Server
from mstdn.settings import settings_for

settings = settings_for(host)

report = host.get_fact(
    Server,
    root=settings.mastodon_root,
    proxy=settings.proxy_root,
    swap=settings.swap_path,
    names=names_to_look_up(settings),
)

found = findings(report, settings, now=time.time())

for finding in found:
    if finding.level == "warning":
        host.log(f"Warning: {finding.text}", logger.warning)

errors = [f"- {finding.text}" for finding in found if finding.level == "error"]
if errors:
    raise DeployError("\n\n".join([f"{host.name} is not ready. Nothing was changed.", *errors]))
