"""Host data in, one frozen Settings out, or one DeployError that lists everything there is to put right."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from pyinfra.api.arguments import all_argument_meta
from pyinfra.api.connectors import get_all_connectors
from pyinfra.api.exceptions import DeployError
from pyinfra.api.host import Host

from mstdn.cloud.settings import ProvisionSettings
from mstdn.problems import Problem, report
from mstdn.secrets.operator import KNOWN_NAMES, operator_secrets
from mstdn.settings.model import Settings
from mstdn.settings.relations import broken_relations

Model = TypeVar("Model", bound=BaseModel)
CONNECTORS = get_all_connectors()  # type: ignore[no-untyped-call]
# Keys that connectors put into a host's data without declaring them (pyinfra 3.10: chroot.py, dockerssh.py).
UNDECLARED_CONNECTOR_KEYS = ("chroot_directory", "docker_container_id", "docker_image")
PYINFRA_KEYS = frozenset(
    [
        *(name for name in all_argument_meta if name.startswith("_")),
        *(key for connector in CONNECTORS.values() for key in connector.data_meta),
        *UNDECLARED_CONNECTOR_KEYS,
    ]
)


def settings_for(host: Host) -> Settings:
    """
    The host's settings. This is the only place where host.data is read.

    Raises DeployError with every problem of the settings and of the operator's secrets: what is wrong, the
    value seen, what to type instead.
    """
    settings, problems = examine(host.data.dict())  # type: ignore[no-untyped-call]
    if settings is None:
        raise DeployError(report(f"The settings of {host.name} need correction; nothing was changed.", problems))
    return settings


def examine(data: Mapping[str, Any]) -> tuple[Settings | None, list[Problem]]:
    """The settings in this host data and no problem, or None and every problem."""
    secrets, secret_problems = operator_secrets()
    settings, invalid, problems = validated(Settings, data)
    problems = [
        *problems,
        *broken_relations(settings, secrets, invalid),
        *secret_problems,
    ]
    return (None, problems) if problems else (settings, [])


def validated(model: type[Model], data: Mapping[str, Any]) -> tuple[Model, set[str], list[Problem]]:
    """
    The settings of this kind in host data, with defaults and examples in place of what is not valid.

    Also the names of those that are not valid, and every problem. Keys that no kind of settings knows are problems;
    those of the other kind are not, so that deploy.py and provision.py can share their data.
    """
    known = {key: value for key, value in data.items() if key in model.model_fields}
    names = setting_names()
    unknown = [_unknown(key, names) for key in data if key not in names and key not in PYINFRA_KEYS]
    try:
        return model.model_validate(known), set(), unknown
    except ValidationError as validation_error:
        errors = _most_telling(validation_error.errors(include_url=False))
        invalid = {str(error["loc"][0]) for error in errors}
        examples = {
            name: field.examples[0]
            for name, field in model.model_fields.items()
            if name in invalid and field.is_required() and field.examples
        }
        valid = {key: value for key, value in known.items() if key not in invalid}
        problems = [*unknown, *(_problem(model, error) for error in errors)]
        return model.model_validate(valid | examples), invalid, problems


def setting_names() -> list[str]:
    """Every setting of deploy.py and of provision.py."""
    return list(dict.fromkeys([*Settings.model_fields, *ProvisionSettings.model_fields]))


def _most_telling(errors: list[ErrorDetails]) -> list[ErrorDetails]:
    """Without what is wrong with the value of a variable that must not be there at all."""
    refused = {error["loc"][:2] for error in errors if error["loc"][-1] == "[key]"}
    return [error for error in errors if error["loc"][:2] not in refused or error["loc"][-1] == "[key]"]


def _unknown(key: str, names: list[str]) -> Problem:
    """The value is not shown: it may be a secret under a wrong name."""
    if key.upper() in KNOWN_NAMES:
        return Problem(key, "a secret does not belong here", f"{key.upper()}='...' in secrets.env; remove it here")
    near = difflib.get_close_matches(key, [*names, *PYINFRA_KEYS], n=1)
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


def _problem(model: type[BaseModel], error: ErrorDetails) -> Problem:
    name, *within = error["loc"]
    subject, value = str(name), error["input"]
    if subject == "mastodon_environment" and within:
        return _problem_of_a_variable(error, str(within[0]))
    if error["type"] == "missing" or (value == "" and model.model_fields[subject].is_required()):
        return Problem(
            subject, "it is not set", f"{_example(model, subject)}, with your own value, in group_data/all.py"
        )
    return Problem(subject, _wrong(error), _instead(model, subject, error), literal(value))


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


def _instead(model: type[BaseModel], name: str, error: ErrorDetails) -> str:
    value = error["input"]
    guess = error.get("ctx", {}).get("instead")
    if error["type"] == "int_type" and isinstance(value, str) and value.isdecimal():
        guess = int(value)
    if guess is not None and len(error["loc"]) == 1:
        return f"{name} = {literal(guess)}"
    if guess is not None:
        return f"{literal(guess)} in {name}"
    if error["type"] == "string_type":
        quoted = json.dumps(_example_value(model, name))
        return f"{name} = {quoted} (on the command line: --data '{name}={quoted}')"
    return f"for example {_example(model, name)}"


def _example(model: type[BaseModel], name: str) -> str:
    return f"{name} = {literal(_example_value(model, name))}"


def _example_value(model: type[BaseModel], name: str) -> Any:
    field = model.model_fields[name]
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
