"""Packages that only some providers need: deploy.py never imports them, and a missing one is a sentence."""

from __future__ import annotations

import importlib
from typing import Any

from mstdn.cloud.errors import ProvisionError

INSTALL = ".venv/bin/pip install --require-hashes -r requirements-provision.lock"


def extra(module: str, package: str, needed_for: str) -> Any:
    """
    The module, imported. `package`: its name for pip. `needed_for`: the setting or step that needs it.

    Raises ProvisionError with the command that installs it.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        raise ProvisionError(f"{needed_for} needs {package}. Install it: {INSTALL}") from None
