"""
Visitors without pause, on the visitor's machine: pages, API, media, deliveries of other servers, and WebSockets.

Run by visitors.py: python3 visitors_probe.py DOMAIN TOKEN MEDIA DIRECTORY. It asks until the file "stop" is in the
directory, keeps what was seen in "seen" there, as JSON, and in the end in "seen at last": by kind, how many requests
there were, what failed, the slowest answer in seconds, and the longest time, "gap", without a good one.
"""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import sys
import threading
import time
from collections.abc import Callable
from http.client import HTTPException, HTTPSConnection
from typing import Any

import websockets  # type: ignore[import-not-found]

DOMAIN, TOKEN, MEDIA, DIRECTORY = sys.argv[1:]
STOP = f"{DIRECTORY}/stop"
TLS = ssl.create_default_context()
SEEN: dict[str, dict[str, Any]] = {}
LAST_GOOD: dict[str, float] = {}
LOCK = threading.Lock()


def note(kind: str, begun: float, failure: str = "") -> None:
    took = time.monotonic() - begun
    with LOCK:
        seen = SEEN.setdefault(kind, {"asked": 0, "slowest": 0.0, "failed": [], "gap": 0.0})
        seen["asked"] += 1
        seen["slowest"] = max(seen["slowest"], round(took, 3))
        if failure:
            seen["failed"].append(f"{time.strftime('%H:%M:%S')} {failure} after {took:.3f} s")
        else:
            seen["gap"] = max(seen["gap"], round(begun + took - LAST_GOOD.get(kind, begun), 3))
            LAST_GOOD[kind] = begun + took


def ask(kind: str, method: str, path: str, good: int, body: str | None = None, **headers: str) -> None:
    """One request over a connection of its own, as visitors come."""
    begun, failure = time.monotonic(), ""
    try:
        connection = HTTPSConnection(DOMAIN, timeout=30, context=TLS)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != good:
            failure = f"{method} {path}: {answer.status}"
        connection.close()
    except (OSError, HTTPException) as error:
        failure = f"{method} {path}: {error!r}"
    note(kind, begun, failure)


def until_told(visit: Callable[[int], None]) -> None:
    number = 0
    while not os.path.exists(STOP):
        number += 1
        visit(number)


def never_pause(number: int) -> None:
    # Each address once, so that it comes from Mastodon and not from a cache.
    ask("pages", "GET", f"/?visit={number}", 200)
    ask("media", "GET", MEDIA, 200)
    deliver(number)
    ask("pages", "GET", "/auth/password/new", 200)
    ask("media", "GET", MEDIA, 200)


def use_the_api(number: int) -> None:
    ask("API", "GET", f"/api/v2/instance?visit={number}", 200)
    ask("API", "GET", "/api/v1/accounts/verify_credentials", 200, Authorization=f"Bearer {TOKEN}")
    # Mastodon lets everybody ask its API 300 times in five minutes, and other addresses as often as they like.
    time.sleep(2.5)


def deliver(number: int) -> None:
    activity = json.dumps({"type": "Create", "id": f"https://other.example.org/{number}"})
    ask("deliveries", "POST", "/inbox", 202, activity, **{"Content-Type": "application/activity+json"})


def watch(_: int) -> None:
    begun, failure = time.monotonic(), ""
    try:
        asyncio.run(open_and_close())
    except (OSError, asyncio.TimeoutError, websockets.WebSocketException) as error:
        failure = repr(error)
    note("WebSockets", begun, failure)
    time.sleep(max(0.0, 1 - (time.monotonic() - begun)))


async def open_and_close() -> None:
    address = f"wss://{DOMAIN}/api/v1/streaming?stream=user&access_token={TOKEN}"
    async with websockets.connect(address, ssl=TLS, open_timeout=30):
        pass


def write(name: str) -> None:
    with LOCK, open(f"{DIRECTORY}/.new", "w") as file:
        json.dump(SEEN, file)
    os.replace(f"{DIRECTORY}/.new", f"{DIRECTORY}/{name}")


visits = (never_pause, use_the_api, watch)
threads = [threading.Thread(target=until_told, args=(visit,)) for visit in visits]
for thread in threads:
    thread.start()
while any(thread.is_alive() for thread in threads):
    write("seen")
    time.sleep(0.5)
write("seen at last")
