"""
The lab's stand-in for Mastodon's streaming server: server-sent events and WebSocket fed from Redis.

It reads the variables, checks the tokens and speaks the protocol of streaming/index.js, which is its source of facts.
As there, neither a missing database nor a missing Redis ends the process: requests fail, and the log tells why.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import os
import re
import signal
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2  # type: ignore[import-untyped]
import psycopg2.extras  # type: ignore[import-untyped]
import redis.asyncio  # type: ignore[import-not-found]
import setproctitle  # type: ignore[import-not-found]
from aiohttp import WSMsgType, web  # type: ignore[import-not-found]

_THUMP_SECONDS = 15
_PING_SECONDS = 30
_SUBSCRIBED_SECONDS = 18 * 60
_RECONNECT_SECONDS = 2

_LEVELS = {"trace": 10, "debug": 20, "info": 30, "warn": 40, "error": 50, "fatal": 60}

_TOKEN_QUERY = """
    SELECT tokens.id, tokens.scopes, users.account_id, users.chosen_languages
    FROM oauth_access_tokens AS tokens
    JOIN users ON users.id = tokens.resource_owner_id
    JOIN accounts ON accounts.id = users.account_id
    WHERE tokens.token = %s AND tokens.revoked_at IS NULL
      AND NOT users.disabled AND accounts.suspended_at IS NULL
"""

_PATHS = {
    "/api/v1/streaming/user": "user",
    "/api/v1/streaming/user/notification": "user:notification",
    "/api/v1/streaming/public": "public",
    "/api/v1/streaming/public/local": "public:local",
    "/api/v1/streaming/public/remote": "public:remote",
    "/api/v1/streaming/hashtag": "hashtag",
    "/api/v1/streaming/hashtag/local": "hashtag:local",
    "/api/v1/streaming/direct": "direct",
    "/api/v1/streaming/list": "list",
}

_PUBLIC = ("public", "public:local", "public:remote", "public:media", "public:local:media", "public:remote:media")

Send = Callable[[str, str], Awaitable[None]]


class RequestError(Exception):
    """What a client is told, with an HTTP status."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Account:
    """Who a token belongs to, and what it may read."""

    token_id: int
    identifier: int
    scopes: frozenset[str]
    languages: tuple[str, ...] | None


def read_dotenv(text: str) -> dict[str, str]:
    """What a dotenv file sets, by the rules of the npm package: quotes are taken off, nothing is interpolated."""
    values = {}
    for line in text.splitlines():
        match = re.match(r"\s*(?:export\s+)?([\w.-]+)\s*=\s*('[^']*'|\"[^\"]*\"|[^#]*)", line)
        if match:
            value = match[2].strip()
            quote = value[:1]
            if quote in {"'", '"'}:
                value = value[1:-1]
            values[match[1]] = value.replace("\\n", "\n") if quote == '"' else value
    return values


def log(level: str, message: str, **fields: object) -> None:
    """One line of JSON on standard output, unless LOG_LEVEL is above it."""
    threshold = _LEVELS.get(os.environ.get("LOG_LEVEL", ""), _LEVELS["info"])
    if _LEVELS[level] >= threshold:
        entry = {"level": _LEVELS[level], "time": int(time.time() * 1000), "pid": os.getpid(), **fields}
        print(json.dumps({**entry, "msg": message}), flush=True)


def integer(name: str, default: int) -> int:
    """A variable as a number. Ends the process when it is none."""
    value = os.environ.get(name, "")
    if not value:
        return default
    if not re.fullmatch(r"\d+", value):
        sys.exit(f"Error: Invalid {name} environment variable: {value}")
    return int(value)


def check_trusted_proxies() -> None:
    """Ends the process for what Express does not take in TRUSTED_PROXY_IP; it knows some words that Rails does not."""
    for part in re.split(r"\s*,\s*|\s+", os.environ.get("TRUSTED_PROXY_IP") or "loopback,uniquelocal"):
        if part not in {"loopback", "linklocal", "uniquelocal"}:
            try:
                ipaddress.ip_network(part, strict=False)
            except ValueError:
                sys.exit(f"TypeError: invalid IP address: {part}")


class Database:
    """At most DB_POOL connections, opened when they are needed."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(integer("DB_POOL", 10))
        self._thread = threading.local()
        self._port = integer("DB_PORT", 5432)

    def _connection(self) -> Any:
        connection = getattr(self._thread, "connection", None)
        if connection is None or connection.closed:
            connection = psycopg2.connect(
                os.environ.get("DATABASE_URL", ""),
                cursor_factory=psycopg2.extras.RealDictCursor,
                connect_timeout=15,
                **({} if os.environ.get("DATABASE_URL") else self._parameters()),
            )
            connection.autocommit = True
            self._thread.connection = connection
        return connection

    def _parameters(self) -> dict[str, Any]:
        return {
            "user": os.environ.get("DB_USER") or "mastodon",
            "password": os.environ.get("DB_PASS", ""),
            "dbname": os.environ.get("DB_NAME") or "mastodon_production",
            "host": os.environ.get("DB_HOST") or "localhost",
            "port": self._port,
            "sslmode": os.environ.get("DB_SSLMODE") or "prefer",
        }

    def _rows(self, sql: str, parameters: tuple[object, ...]) -> list[dict[str, Any]]:
        connection = self._connection()
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, parameters)
                return [dict(row) for row in cursor.fetchall()]
        except (psycopg2.OperationalError, psycopg2.InterfaceError):
            connection.close()
            raise

    async def rows(self, sql: str, *parameters: object) -> list[dict[str, Any]]:
        """The rows of a query. Raises psycopg2.Error."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._rows, sql, parameters)


def redis_client() -> redis.asyncio.Redis:
    """By REDIS_URL, else by REDIS_HOST and the rest."""
    if url := os.environ.get("REDIS_URL"):
        return redis.asyncio.Redis.from_url(url, decode_responses=True)
    return redis.asyncio.Redis(
        host=os.environ.get("REDIS_HOST") or "127.0.0.1",
        port=integer("REDIS_PORT", 6379),
        db=integer("REDIS_DB", 0),
        username=os.environ.get("REDIS_USERNAME") or None,
        password=os.environ.get("REDIS_PASSWORD") or None,
        decode_responses=True,
    )


class Streaming:
    """The server."""

    def __init__(self) -> None:
        self._database = Database()
        self._redis = redis_client()
        self._clients: Counter[str] = Counter(websocket=0, eventsource=0)
        self._sent: Counter[str] = Counter(websocket=0, eventsource=0)
        self._subscriptions = 0
        self._received = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Any request."""
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._websocket(request)
        headers = {"Access-Control-Allow-Origin": "*", "X-Request-Id": str(uuid.uuid4())}
        if request.method == "OPTIONS":
            allowed = {"Access-Control-Allow-Methods": "GET,HEAD,PUT,PATCH,POST,DELETE"}
            return web.Response(status=204, headers={**headers, **allowed})
        if request.path == "/favicon.ico":
            return web.Response(status=404, headers=headers)
        headers["Cache-Control"] = "private, no-store"
        if request.path == "/api/v1/streaming/health":
            return web.Response(text="OK", headers=headers)
        if request.path == "/metrics":
            return web.Response(text=self._metrics(), headers=headers)
        try:
            return await self._event_source(request, headers)
        except RequestError as error:
            return web.json_response({"error": str(error)}, status=error.status, headers=headers)
        except (psycopg2.Error, redis.asyncio.RedisError) as error:
            log("error", str(error))
            return web.json_response({"error": "An unexpected error occurred"}, status=500, headers=headers)

    async def watch_redis(self) -> None:
        """Say so in the log until Redis answers."""
        while True:
            try:
                await self._redis.ping()
                return
            except redis.asyncio.RedisError as error:
                log("error", "Redis Client Error!", err=str(error))
                await asyncio.sleep(_RECONNECT_SECONDS)

    def _metrics(self) -> str:
        lines = []
        for kind in ("websocket", "eventsource"):
            lines.append(f'connected_clients{{type="{kind}"}} {self._clients[kind]}')
            lines.append(f'messages_sent_total{{type="{kind}"}} {self._sent[kind]}')
        lines.append(f"redis_subscriptions {self._subscriptions}")
        lines.append(f"redis_messages_received_total {self._received}")
        return "\n".join(lines) + "\n"

    async def _account(self, request: web.Request) -> Account:
        """By the header Authorization, the query, or the WebSocket's protocol. Raises RequestError 401."""
        authorization = request.headers.get("Authorization", "")
        token = authorization.removeprefix("Bearer ") or request.query.get("access_token", "")
        token = token or request.headers.get("Sec-WebSocket-Protocol", "")
        if not token:
            raise RequestError("Missing access token", 401)
        rows = await self._database.rows(_TOKEN_QUERY, token)
        if not rows:
            raise RequestError("Invalid access token", 401)
        languages = rows[0]["chosen_languages"]
        return Account(
            rows[0]["id"],
            rows[0]["account_id"],
            frozenset(rows[0]["scopes"].split()),
            tuple(languages) if languages is not None else None,
        )

    async def _channels(self, account: Account, name: str, parameters: dict[str, str]) -> list[str]:
        """The channels in Redis of a stream. Raises RequestError."""
        allowed = {"read", "read:notifications" if name == "user:notification" else "read:statuses"}
        if not account.scopes & allowed:
            raise RequestError("Access token does not have the required scopes", 401)
        own = f"timeline:{account.identifier}"
        if name == "user":
            notifications = account.scopes & {"read", "read:notifications"}
            return [own, f"{own}:notifications"] if notifications else [own]
        if name == "user:notification":
            return [f"{own}:notifications"]
        if name == "direct":
            return [f"timeline:direct:{account.identifier}"]
        if name in _PUBLIC:
            return [f"timeline:{name}"]
        if name in {"hashtag", "hashtag:local"}:
            if not parameters.get("tag"):
                raise RequestError("Missing tag name parameter")
            tag = parameters["tag"].lower()
            return [f"timeline:hashtag:{tag}{name.removeprefix('hashtag')}"]
        if name == "list":
            return [await self._list_channel(account, parameters.get("list", ""))]
        raise RequestError("Unknown stream type")

    async def _list_channel(self, account: Account, identifier: str) -> str:
        if not identifier:
            raise RequestError("Missing list name parameter")
        rows = identifier.isdigit() and await self._database.rows(
            "SELECT 1 FROM lists WHERE id = %s AND account_id = %s", int(identifier), account.identifier
        )
        if not rows:
            raise RequestError("Not authorized to stream this list", 401)
        return f"timeline:list:{identifier}"

    @asynccontextmanager
    async def _client(self, kind: str) -> AsyncIterator[None]:
        self._clients[kind] += 1
        try:
            yield
        finally:
            self._clients[kind] -= 1

    async def _stream(self, account: Account, channels: list[str], kind: str, send: Send) -> None:
        """Pass on what is published, until the token is revoked, the client has gone or Redis fails."""
        try:
            for channel in channels:
                await self._redis.set(f"subscribed:{channel}", "1", ex=_SUBSCRIBED_SECONDS)
            async with self._redis.pubsub(ignore_subscribe_messages=True) as subscription:
                await self._pass_on(account, channels, kind, send, subscription)
        except redis.asyncio.RedisError as error:
            log("error", "Redis Client Error!", err=str(error))
        except ConnectionError as error:
            log("debug", "The client has gone", err=str(error))

    async def _pass_on(
        self, account: Account, channels: list[str], kind: str, send: Send, subscription: redis.asyncio.client.PubSub
    ) -> None:
        system = [f"timeline:access_token:{account.token_id}", f"timeline:system:{account.identifier}"]
        await subscription.subscribe(*channels, *system)
        self._subscriptions += len(channels) + len(system)
        try:
            async for message in subscription.listen():
                self._received += 1
                content = json.loads(message["data"])
                if message["channel"] in system:
                    if content.get("event") == "kill":
                        return
                elif _is_wanted(account, channels, content):
                    payload = content["payload"]
                    self._sent[kind] += 1
                    await send(content["event"], payload if isinstance(payload, str) else json.dumps(payload))
        finally:
            self._subscriptions -= len(channels) + len(system)

    async def _event_source(self, request: web.Request, headers: dict[str, str]) -> web.StreamResponse:
        name = _PATHS.get(request.path)
        if name is None:
            raise RequestError("Unknown channel requested")
        if name.startswith("public") and request.query.get("only_media", "false").lower() not in _FALSE:
            name += ":media"
        account = await self._account(request)
        channels = await self._channels(account, name, dict(request.query))
        response = web.StreamResponse(headers={**headers, "Content-Type": "text/event-stream"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        await response.write(b":)\n")

        async def send(event: str, payload: str) -> None:
            await response.write(f"event: {event}\ndata: {payload}\n\n".encode())

        async def thump() -> None:
            while True:
                await asyncio.sleep(_THUMP_SECONDS)
                await response.write(b":thump\n\n")

        async with self._client("eventsource"):
            await _until_first_ends(self._stream(account, channels, "eventsource", send), thump())
        return response

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        try:
            account = await self._account(request)
        except RequestError as error:
            return _refused_upgrade(error.status, str(error))
        except psycopg2.Error as error:
            log("error", str(error))
            return _refused_upgrade(500, "An unexpected error occurred")
        protocol = request.headers.get("Sec-WebSocket-Protocol")
        socket = web.WebSocketResponse(heartbeat=_PING_SECONDS, protocols=(protocol,) if protocol else ())
        await socket.prepare(request)
        tasks: dict[str, asyncio.Task[None]] = {}
        try:
            async with self._client("websocket"):
                if stream := request.query.get("stream"):
                    await self._subscribe(socket, account, tasks, stream, dict(request.query))
                async for message in socket:
                    if message.type is not WSMsgType.TEXT:
                        await socket.close(code=1003, message=b"binary messages are not supported")
                        break
                    await self._command(socket, account, tasks, message.data)
        finally:
            for task in tasks.values():
                task.cancel()
        return socket

    async def _command(
        self, socket: web.WebSocketResponse, account: Account, tasks: dict[str, asyncio.Task[None]], text: str
    ) -> None:
        try:
            command = json.loads(text)
        except ValueError:
            log("error", "Error parsing message from a WebSocket")
            return
        parameters = {key: str(value) for key, value in command.items()}
        stream = parameters.get("stream", "")
        if parameters.get("type") == "subscribe":
            await self._subscribe(socket, account, tasks, stream, parameters)
        elif parameters.get("type") == "unsubscribe":
            task = tasks.pop(_subscription_name(stream, parameters), None)
            if task:
                task.cancel()

    async def _subscribe(
        self,
        socket: web.WebSocketResponse,
        account: Account,
        tasks: dict[str, asyncio.Task[None]],
        stream: str,
        parameters: dict[str, str],
    ) -> None:
        name = _subscription_name(stream, parameters)
        if name in tasks:
            return
        try:
            channels = await self._channels(account, stream, parameters)
        except RequestError as error:
            await socket.send_json({"error": str(error), "status": error.status})
            return
        argument = parameters.get("list" if stream == "list" else "tag")
        label = [stream, argument] if argument and stream in {"list", "hashtag", "hashtag:local"} else [stream]

        async def send(event: str, payload: str) -> None:
            await socket.send_json({"stream": label, "event": event, "payload": payload})

        async def run() -> None:
            await self._stream(account, channels, "websocket", send)
            await socket.close()

        tasks[name] = asyncio.create_task(run())


_FALSE = {"0", "f", "false", "off", ""}


def _subscription_name(stream: str, parameters: dict[str, str]) -> str:
    return ";".join((stream, parameters.get("tag", "").lower(), parameters.get("list", "")))


def _is_wanted(account: Account, channels: list[str], content: dict[str, Any]) -> bool:
    """Updates of public streams are only passed on in the languages a user chose."""
    if not content.get("event") or not content.get("payload"):
        return False
    filtered = channels[0].startswith(("timeline:public", "timeline:hashtag"))
    if not filtered or content["event"] not in {"update", "status.update"} or account.languages is None:
        return True
    return content["payload"].get("language") in account.languages


def _refused_upgrade(status: int, message: str) -> web.Response:
    response = web.Response(status=status, headers={"X-Error-Message": message, "Content-Type": "text/plain"})
    response.force_close()
    return response


async def _until_first_ends(*works: Coroutine[Any, Any, None]) -> None:
    """Run side by side until one ends, then end the others."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def serve() -> None:
    """Listen until SIGTERM or SIGINT, which end the process at once and with it every stream, as in the real one."""
    streaming = Streaming()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", streaming.handle)
    application.on_response_prepare.append(_name_express)
    runner = web.AppRunner(application, access_log=None, handler_cancellation=True)
    await runner.setup()
    address, port = (os.environ.get("BIND") or "127.0.0.1").strip("[]"), integer("PORT", 4000)
    await web.TCPSite(runner, address, port).start()
    log("info", f"Streaming API now listening on {address}:{port}")
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, os._exit, 0)
    await streaming.watch_redis()
    await asyncio.Event().wait()


async def _name_express(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.pop("Server", None)
    response.headers["X-Powered-By"] = "Express"


def main() -> None:
    """Read the environment and serve."""
    setproctitle.setproctitle("node ./streaming/index.js")
    dotenv = Path("/opt/mastodon/.env.production")
    if dotenv.exists():
        for name, value in read_dotenv(dotenv.read_text()).items():
            os.environ.setdefault(name, value)
    check_trusted_proxies()
    asyncio.run(serve())


if __name__ == "__main__":
    main()
