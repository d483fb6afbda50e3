"""
`puma`: takes requests over HTTP and hands each to a thread, as many at once as the real one would.

WEB_CONCURRENCY processes of MAX_THREADS threads are that many threads of one process here, each with a connection
to the database of its own, so that the count of connections is the real one.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import setproctitle  # type: ignore[import-not-found]
from aiohttp import web  # type: ignore[import-not-found]

from . import prometheus, rack
from .application import Application, Response
from .environment import ROOT, AbortError, check_environment, integer
from .stores import require_database

_PUMA_VERSION = "8.0.2"

# Above the 99 MB that proxies in front have to let through.
_BODY_BYTES = 128 * 1024 * 1024

_STOP_SECONDS = 60


def main(arguments: list[str]) -> int:
    """Serve until SIGTERM, finish what was begun, give 0. Raises AbortError where the real one does not start."""
    parser = argparse.ArgumentParser(prog="puma")
    parser.add_argument("-C", "--config", default="config/puma.rb")
    configuration = ROOT / parser.parse_args(arguments).config
    if not configuration.is_file():
        raise AbortError(f"Errno::ENOENT: No such file or directory - {configuration}")
    check_environment(os.environ)
    processes, threads = integer("WEB_CONCURRENCY", 2), integer("MAX_THREADS", 5)
    address, port = os.environ.get("BIND") or "127.0.0.1", integer("PORT", 3000)
    url = f"tcp://{address}:{port}"
    setproctitle.setproctitle(f"puma {_PUMA_VERSION} ({url}) [mastodon]")
    _print_banner(processes, threads)
    require_database()
    application = Application()
    time.sleep(float(os.environ.get("LAB_BOOT_SECONDS") or 2))
    if "before_listen { sleep }" in configuration.read_text():
        while True:
            time.sleep(3600)
    told = prometheus.client(os.environ)
    if told and processes:
        # Puma's hooks before and after a worker boots: with a single process there is none.
        told.every(lambda: [told.process("puma"), told.pool("puma", threads), _workers(told, processes, threads)])
    asyncio.run(_serve(application, max(processes, 1) * threads, address.strip("[]"), port, told))
    print(f"[{os.getpid()}] - Goodbye!", flush=True)
    return 0


def _print_banner(processes: int, threads: int) -> None:
    pid = os.getpid()
    print(f"[{pid}] Puma starting in {'cluster' if processes else 'single'} mode...")
    print(f"[{pid}] * Puma version: {_PUMA_VERSION}\n[{pid}] *  Max threads: {threads}")
    if processes:
        print(f"[{pid}] *      Workers: {processes}\n[{pid}] * Preloading application", flush=True)


def _workers(told: prometheus.Client, processes: int, threads: int) -> dict[str, Any]:
    return {
        "type": "puma",
        "pid": os.getpid(),
        "hostname": told.host_name,
        "phase": 0,
        "workers": processes,
        "booted_workers": processes,
        "old_workers": 0,
        "request_backlog": 0,
        "running_threads": processes * threads,
        "thread_pool_capacity": processes * threads,
        "max_threads": processes * threads,
    }


async def _serve(
    application: Application, threads: int, address: str, port: int, told: prometheus.Client | None
) -> None:
    """Until SIGTERM; then take no more connections, and end when what was begun has been answered."""
    pool = ThreadPoolExecutor(threads)
    running: set[asyncio.Future[None]] = set()
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def handle(incoming: web.Request) -> web.StreamResponse:
        done = loop.create_future()
        running.add(done)
        try:
            begun = time.time()
            request = await _request(incoming)
            response = _outgoing(await loop.run_in_executor(pool, application.answer, request))
            if told:
                since = incoming.headers.get("X-Request-Start", "")
                told.send(prometheus.request(os.environ, since, begun, time.time() - begun, response.status))
        finally:
            running.discard(done)
            done.set_result(None)
        if stopped.is_set():
            response.force_close()
        return response

    server = web.Application(client_max_size=_BODY_BYTES)
    server.router.add_route("*", "/{path:.*}", handle)
    server.on_response_prepare.append(_hide_aiohttp)
    runner = web.AppRunner(server, access_log=None, keepalive_timeout=integer("PERSISTENT_TIMEOUT", 20))
    await runner.setup()
    site = web.TCPSite(runner, address, port, backlog=1024)
    await site.start()
    print(f"[{os.getpid()}] * Listening on http://{address}:{port}\n[{os.getpid()}] Use Ctrl-C to stop", flush=True)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()
    print(f"[{os.getpid()}] - Gracefully shutting down workers...", flush=True)
    await site.stop()
    if running:
        await asyncio.wait(running, timeout=_STOP_SECONDS)
    await runner.cleanup()


async def _hide_aiohttp(_: web.Request, response: web.StreamResponse) -> None:
    if "aiohttp" in response.headers.get("Server", ""):
        del response.headers["Server"]


async def _request(incoming: web.Request) -> rack.Request:
    headers: dict[str, str] = {}
    for name, value in incoming.headers.items():
        lower = name.lower()
        headers[lower] = f"{headers[lower]}, {value}" if lower in headers else value
    return rack.Request(
        incoming.method,
        incoming.rel_url.raw_path,
        headers,
        incoming.remote or "",
        incoming.rel_url.raw_query_string,
        await _form(incoming),
    )


async def _form(incoming: web.Request) -> dict[str, Any]:
    """The body's fields: strings, uploaded files to read from, lists where a name ends with []."""
    if incoming.content_type in {"application/json", "application/activity+json", "application/ld+json"}:
        try:
            content = await incoming.json()
        except ValueError:
            return {}
        return content if isinstance(content, dict) else {}
    form: dict[str, Any] = {}
    for name, value in (await incoming.post()).items():
        content = value.file if isinstance(value, web.FileField) else value
        if name.endswith("[]"):
            form.setdefault(name, []).append(content)
        else:
            form[name] = content
    return form


def _outgoing(response: Response) -> web.StreamResponse:
    if isinstance(response.body, bytes):
        return web.Response(status=response.status, body=response.body, headers=response.headers)
    return web.FileResponse(response.body, headers=response.headers)
