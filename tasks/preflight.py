"""
Preflight: whatever can be refused is refused here, all at once and before the first change. It changes nothing.

Run by itself:  pyinfra inventory.py tasks/preflight.py
"""

import time

from pyinfra import host, logger
from pyinfra.api.exceptions import DeployError, FactProcessError

from mstdn.preflight.looking import look
from mstdn.settings import settings_for

settings = settings_for(host)

try:
    found = look(settings, now=time.time())
except FactProcessError as error:
    raise DeployError(str(error)) from None

for finding in found:
    if finding.level == "warning":
        host.log(f"Warning: {finding.text}", logger.warning)

errors = [f"- {finding.text}" for finding in found if finding.level == "error"]
if errors:
    raise DeployError("\n\n".join([f"{host.name} is not ready. Nothing was changed.", *errors]))
