"""Host data in, one frozen Settings out, or one DeployError that lists everything there is to put right."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pyinfra.api.arguments import all_argument_meta
from pyinfra.api.connectors import get_all_connectors
from pyinfra.api.exceptions import DeployError
from pyinfra.api.host import Host

from mstdn.kinds.part import Part
from mstdn.operator_files import inventory_directory
from mstdn.problems import Problem, report
from mstdn.secrets.operator import operator_secrets, secrets_file_of
from mstdn.settings.group_data import required
from mstdn.settings.model import FIELDS, Settings, broken_relations
from mstdn.settings.own_values import misplaced_values
from mstdn.settings.renamed import RENAMED, renamed
from mstdn.settings.telling import problem_of, unknown_key

Model = TypeVar("Model", bound=Part)
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
    data = host.data.dict()  # type: ignore[no-untyped-call]
    seen = (data, tuple(host.groups), inventory_directory())
    if host.name not in _accepted or _accepted[host.name][0] != seen:
        settings, problems = examine(data, host.groups)
        if settings is None:
            raise DeployError(report(f"The settings of {host.name} need correction; nothing was changed.", problems))
        _accepted[host.name] = (seen, settings)
    return _accepted[host.name][1]


# By the name of a host: from what its settings were made, and the settings. Every task of a run asks for them.
_accepted: dict[str, tuple[object, Settings]] = {}


def examine(data: Mapping[str, Any], groups: Collection[str] = ()) -> tuple[Settings | None, list[Problem]]:
    """
    The settings in this host data and no problem, or None and every problem.

    groups: those of the inventory that the host is in.
    """
    settings, invalid, problems = validated(Settings, data)
    unset = {name for name in required() if not data.get(name)}
    secrets, secret_problems = operator_secrets(secrets_file_of(settings))
    # Without the file that was meant, nobody knows which secrets there are.
    unknown_secrets = {"secrets"} if "secrets_file" in invalid else set()
    problems = [
        *problems,
        *broken_relations(settings, secrets, invalid | unknown_secrets),
        *([] if unknown_secrets else secret_problems),
        *misplaced_values(groups, unset),
    ]
    return (None, problems) if problems else (settings, [])


def validated(model: type[Model], data: Mapping[str, Any]) -> tuple[Model, set[str], list[Problem]]:
    """
    The settings of this model in host data, with defaults and examples in place of what is not valid.

    Also the names of those that are not valid, and every problem. A key that no model knows is one; a setting of
    another model is not, so that deploy.py and provision.py can share their data.
    """
    known = {key: value for key, value in data.items() if key in model.model_fields}
    unknown = [key for key in data if key not in FIELDS and key not in PYINFRA_KEYS]
    settings, errors = _validated(model, known)
    problems = [
        *(renamed(key) if key in RENAMED else unknown_key(key, PYINFRA_KEYS) for key in unknown),
        *map(problem_of, errors),
    ]
    return settings, {str(error["loc"][0]) for error in errors}, problems


def _validated(model: type[Model], known: dict[str, Any]) -> tuple[Model, list[ErrorDetails]]:
    """The settings, with defaults and examples in place of what is not valid, and the errors."""
    try:
        return model.model_validate(known), []
    except ValidationError as validation_error:
        order = list(FIELDS)
        found = sorted(validation_error.errors(include_url=False), key=lambda error: order.index(str(error["loc"][0])))
        errors = _most_telling(found)
        invalid = {error["loc"][0] for error in errors}
        examples = {
            name: field.examples[0]
            for name, field in model.model_fields.items()
            if name in invalid and field.is_required() and field.examples
        }
        valid = {key: value for key, value in known.items() if key not in invalid}
        return model.model_validate(valid | examples), errors


def _most_telling(errors: list[ErrorDetails]) -> list[ErrorDetails]:
    """Without what is wrong with the value of a variable that must not be there at all."""
    refused = {error["loc"][:2] for error in errors if error["loc"][-1] == "[key]"}
    return [error for error in errors if error["loc"][:2] not in refused or error["loc"][-1] == "[key]"]
