"""
What runs come to anyway, done once for all of them before they are forked: the components are imported, the templates
and the settings are read. Only modules and caches are left of it.
"""

from __future__ import annotations

from importlib import import_module

from tests.harness import REQUIRED, ROOT, fake_responses
from tests.plan.cli import BARE_SERVER_ANSWERS

for file in sorted((ROOT / "mstdn").glob("*/operations.py")):
    import_module(f"mstdn.{file.parent.name}.operations")
fake_responses(REQUIRED, BARE_SERVER_ANSWERS)
