"""Write every file that is made from the settings and the secrets: `make docs`."""

from mstdn.operator_files import SUITE_DIRECTORY
from mstdn.secrets.example import example
from mstdn.settings.group_data import all_py, example_py
from mstdn.settings.page import page

MADE_FILES = {
    "docs/settings.md": page,
    "group_data/all.py": all_py,
    "group_data/mastodon.example.py": example_py,
    "secrets.example.env": example,
}

if __name__ == "__main__":
    for path, text in MADE_FILES.items():
        (SUITE_DIRECTORY / path).write_text(text(), encoding="utf-8")
