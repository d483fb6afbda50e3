"""What is wrong with the value of a setting, in words, and what to type instead."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from typing import Any

from pydantic_core import ErrorDetails

from mstdn.cloud.keys import PROVIDER_KEYS
from mstdn.operator_files import values_file
from mstdn.problems import Problem
from mstdn.secrets.table import OPERATOR_SECRETS
from mstdn.settings.model import FIELDS


def unknown_key(key: str, pyinfra_keys: Iterable[str]) -> Problem:
    """What to say of a key that no setting has. The value is not shown: it may be a secret under a wrong name."""
    for name in (*OPERATOR_SECRETS, *PROVIDER_KEYS):
        if key.upper() == name.upper():
            return Problem(key, "a secret does not belong here", f"{name}='...' in secrets.env; remove it here")
    near = difflib.get_close_matches(key, [*FIELDS, *pyinfra_keys], n=1)
    return Problem(key, "no setting has this name", near[0] if near else "one of the names in docs/settings.md")


EXPECTED = {
    "string_type": "text in quotes",
    "int_type": "a whole number",
    "bool_type": "True or False",
    "tuple_type": "a list",
    "dict_type": "a dictionary",
}
SEEN = {
    str: "text",
    bool: "True or False",
    int: "a number",
    float: "a number",
    type(None): "None",
    list: "a list",
}


def problem_of(error: ErrorDetails) -> Problem:
    """What to say of an error of pydantic's."""
    name, *within = error["loc"]
    subject, value = str(name), error["input"]
    if subject == "mastodon_environment" and within:
        return _problem_of_a_variable(error, str(within[0]))
    if error["type"] == "missing" or (value == "" and FIELDS[subject].is_required()):
        return Problem(subject, "it is not set", f"{_example(subject)}, with your own value, in {values_file()}")
    return Problem(subject, _wrong(error), _instead(subject, error), literal(value))


def _problem_of_a_variable(error: ErrorDetails, variable: str) -> Problem:
    """The value of a variable is shown only where it is no text, for it may be a secret."""
    subject = f'mastodon_environment["{variable}"]'
    if error["type"] != "string_type":
        return Problem(subject, _wrong(error), error["ctx"]["instead"] or "one line of text")
    value = error["input"]
    text = str(value).lower() if isinstance(value, bool) else str(value)
    instead = "remove it" if value is None else f'"{variable}": {literal(text)}'
    return Problem(subject, _wrong(error), instead, literal(value))


def _wrong(error: ErrorDetails) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind in EXPECTED:
        return f"it must be {EXPECTED[kind]}, not {SEEN.get(type(error['input']), 'something else')}"
    if kind == "greater_than_equal":
        return f"it must be at least {context['ge']}"
    if kind == "less_than_equal":
        return f"it must be at most {context['le']}"
    if kind == "literal_error":
        return f"it must be {context['expected']}".replace("'", '"')
    return error["msg"]


def _instead(name: str, error: ErrorDetails) -> str:
    value = error["input"]
    guess = error.get("ctx", {}).get("instead")
    if error["type"] == "int_type" and isinstance(value, str) and value.isdecimal():
        guess = int(value)
    if guess is not None and len(error["loc"]) == 1:
        return f"{name} = {literal(guess)}"
    if guess is not None:
        return f"{literal(guess)} in {name}"
    if error["type"] == "string_type":
        quoted = json.dumps(_example_value(name))
        return f"{name} = {quoted} (on the command line: --data '{name}={quoted}')"
    return f"for example {_example(name)}"


def _example(name: str) -> str:
    return f"{name} = {literal(_example_value(name))}"


def _example_value(name: str) -> Any:
    field = FIELDS[name]
    return field.examples[0] if field.examples else field.default


def literal(value: object) -> str:
    """The value as group_data writes it: Python, with double quotes."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(literal, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(key)}: {literal(item)}" for key, item in value.items()) + "}"
    return repr(value)
