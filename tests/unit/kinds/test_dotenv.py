"""Files of NAME=value lines, as sh and Compose read them."""

from __future__ import annotations

import re
import shlex

from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mstdn.kinds.dotenv import environment_file
from tests.harness import settings_with


def allowed(value: str) -> bool:
    try:
        settings_with(mastodon_environment={"NAME": value})
    except ValidationError:
        return False
    return True


@given(st.text(max_size=40).filter(allowed))
def test_every_value_that_settings_allow_survives_the_environment_file(value: str) -> None:
    line = environment_file({"NAME": value}).split("\n")[-1]
    # sh and Compose agree on bare words of these characters and on single quotes; Compose reads into anything else.
    assert shlex.split(line) == [f"NAME={value}"]
    assert re.fullmatch(r"NAME=([\w./:@,+=-]*|'[^']*')", line)
