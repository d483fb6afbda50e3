"""
The operator's settings, checked as a whole before anything is changed.

    kinds.py, environment.py   what one value may be
    model.py                   every setting, its default and its meaning
    relations.py               what must hold between settings
    loading.py                 host data in, one frozen Settings out
    page.py                    docs/settings.md
"""

from mstdn.settings.loading import examine, settings_for
from mstdn.settings.model import Settings

__all__ = ["Settings", "examine", "settings_for"]
