"""A world of stand-ins for each test."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from botocore.httpsession import URLLib3Session

from mstdn.cloud import waiting
from mstdn.secrets import operator as secrets
from tests.stand_ins.operator import Sleeper
from tests.stand_ins.shortcut import Shortcut
from tests.stand_ins.world import World


@pytest.fixture(name="sleeper")
def _sleeper(monkeypatch: pytest.MonkeyPatch) -> Sleeper:
    sleeper = Sleeper()
    monkeypatch.setattr(waiting, "sleep", sleeper.sleep)
    # botocore and google-auth wait between their own tries.
    monkeypatch.setattr(time, "sleep", sleeper.sleep)
    monkeypatch.setattr(waiting, "clock", sleeper.clock)
    return sleeper


@pytest.fixture(name="world")
def _world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sleeper: Sleeper) -> Iterator[World]:
    world = World(tmp_path)
    for name, value in world.environment.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(secrets, "SECRETS_FILE", tmp_path / "secrets.env")
    yield world
    world.stop()


@pytest.fixture(name="quick_world")
def _quick_world(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The same world without the way there: see Shortcut."""
    shortcut = Shortcut(world.internet)
    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", lambda *args, **kw: shortcut.requests_send(*args, **kw))
    monkeypatch.setattr(URLLib3Session, "send", lambda *args: shortcut.botocore_send(*args))
    # Looking through all of the environment for a proxy, twice for each request, took a quarter of the time.
    monkeypatch.setattr(requests.sessions, "get_environ_proxies", lambda *args, **kw: {})
    return world
