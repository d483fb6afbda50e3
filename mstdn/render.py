"""Templates become text here. They see only what they are given: `settings`, and what a task worked out from it."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

STATIC_FILES = Path(__file__).parent.parent / "files"

_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent.parent / "templates"),
    undefined=StrictUndefined,
    keep_trailing_newline=True,
    trim_blocks=True,
    lstrip_blocks=True,
    # Nothing here becomes HTML; the quoting of each format is the template's own business.
    autoescape=False,  # noqa: S701
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
