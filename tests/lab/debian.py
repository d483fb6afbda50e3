"""Installing Debian's (or Ubuntu's) packages on this machine."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab.commands import LabError, run

POLICY = Path("/usr/sbin/policy-rc.d")


def install(*packages: str) -> None:
    """
    Install packages without starting their services.

    Raises LabError when we are not root or this is not a system with apt.
    """
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise LabError(f"Not installed, and only root could. Type: sudo apt-get install {' '.join(packages)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update"], environment=environment)
    with _no_services_started():
        run(
            ["apt-get", "install", "--yes", "--no-install-recommends", *packages],
            environment=environment,
        )


@contextmanager
def _no_services_started() -> Iterator[None]:
    """Debian's package scripts ask policy-rc.d before they start a service; 101 means no."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()
