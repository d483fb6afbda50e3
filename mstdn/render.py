"""Templates become text here. They see only what they are given: `settings`, and what a task worked out from it."""

import os
import sys
from contextlib import suppress
from pathlib import Path

from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket
from typing_extensions import override

STATIC_FILES = Path(__file__).parent.parent / "files"


class CompiledTemplates(FileSystemBytecodeCache):
    """Keeps what templates were compiled to beside what Python compiled: half of the time that a run spends on them."""

    @override
    def dump_bytecode(self, bucket: Bucket) -> None:
        # As with Python's own, a directory where nothing can be written is no error.
        with suppress(OSError):
            super().dump_bytecode(bucket)


def kept_in(directory: Path) -> CompiledTemplates | None:
    """Compiled templates in this directory; None where Python would keep nothing there either."""
    if sys.dont_write_bytecode or not os.access(directory, os.W_OK):
        return None
    return CompiledTemplates(str(directory), "%s.template")


_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent.parent / "templates"),
    undefined=StrictUndefined,
    keep_trailing_newline=True,
    trim_blocks=True,
    lstrip_blocks=True,
    # Nothing here becomes HTML; the quoting of each format is the template's own business.
    autoescape=False,  # noqa: S701
    bytecode_cache=kept_in(Path(__file__).parent / "__pycache__"),
)


def render(template: str, **values: object) -> str:
    """
    Fill templates/<template>.

    Raises jinja2.UndefinedError for a name that was not given: a template must not silently write an empty value.
    """
    return _environment.get_template(template).render(**values)


def static(path: str) -> str:
    """The text of files/<path>, which is copied as it is."""
    return (STATIC_FILES / path).read_text()
