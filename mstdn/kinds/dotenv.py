"""Files of NAME=value lines, as sh, Compose, Ruby's dotenv and Node's dotenv read them alike."""

from collections.abc import Mapping


def environment_file(variables: Mapping[str, str]) -> str:
    """
    Text of a Compose env_file. A value is quoted where Compose would read into it: $ and #, quotes, spaces.

    Settings refuse single quotes in values, so a quoted value is always literal.
    """
    plain = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:@,+=")
    lines = ["# Mastodon's settings without its secrets. Written by the suite: change settings instead, and deploy."]
    for name, value in variables.items():
        lines.append(f"{name}={value}" if plain.issuperset(value) else f"{name}='{value}'")
    return "\n".join(lines)
