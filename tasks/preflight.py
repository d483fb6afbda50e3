"""
Preflight: whatever can be refused is refused here, all at once and before the first change. It changes nothing.

Run alone:  pyinfra inventory.py tasks/preflight.py
"""

import time

from pyinfra import host, logger
from pyinfra.api.exceptions import DeployError, FactProcessError

from mstdn.docker.facts import Containers
from mstdn.fact import CouldNotLook, ask
from mstdn.preflight import findings, question_about_the_server
from mstdn.settings import settings_for

settings = settings_for(host)

try:
    report = ask(question_about_the_server(settings))
except FactProcessError as error:
    raise DeployError(str(error)) from None
try:
    containers = ask(Containers.all())
except CouldNotLook:
    # A daemon that does not run is started later; what holds a port now is seen without it.
    containers = ()

found = findings(report, containers, settings, now=time.time())

for finding in found:
    if finding.level == "warning":
        host.log(f"Warning: {finding.text}", logger.warning)

errors = [f"- {finding.text}" for finding in found if finding.level == "error"]
if errors:
    raise DeployError("\n\n".join([f"{host.name} is not ready. Nothing was changed.", *errors]))
