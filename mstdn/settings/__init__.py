"""
The operator's settings, checked as a whole before anything is changed.

    ../<component>/settings.py   what can be set, and what must hold between settings
    ../kinds/                    what one value may be
    model.py                     all of it together
    loading.py                   host data in, one frozen Settings out
    telling.py                   what is wrong with a value, in words
    page.py                      docs/settings.md
"""

from mstdn.settings.loading import examine, settings_for
from mstdn.settings.model import Settings

__all__ = ["Settings", "examine", "settings_for"]
