"""Print docs/settings.md."""

import sys

from mstdn.settings.page import page

sys.stdout.write(page())
