"""
A long line to a server: a TCP relay that hands on every byte some time after it came, and limits nothing else.

Each direction has a queue of what is under way, so that a delay adds to an answer but not to each piece of it.
"""

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

CHUNK_BYTES = 65536


@dataclass
class Relay:
    """A running relay. `ports` leads from the server's ports to ours on 127.0.0.1; `visits` counts connections."""

    ports: dict[int, int] = field(default_factory=dict)
    visits: dict[int, int] = field(default_factory=dict)


@contextmanager
def relay(host: str, ports: Iterable[int], delay: float) -> Iterator[Relay]:
    """
    Lead connections to ports of our own on to these ports of `host`; each direction takes `delay` seconds.

    Raises OSError when no port of our own can be opened.
    """
    running = Relay()
    begun: Future[Callable[[], object]] = Future()

    async def listen_until_stopped() -> None:
        stopped, loop = asyncio.Event(), asyncio.get_running_loop()
        try:
            servers = [await _listen(running, host, port, delay) for port in ports]
        except Exception as error:
            begun.set_exception(error)
            return
        begun.set_result(lambda: loop.call_soon_threadsafe(stopped.set))
        await stopped.wait()
        for server in servers:
            server.close()

    thread = threading.Thread(target=asyncio.run, args=(listen_until_stopped(),), daemon=True)
    thread.start()
    stop = begun.result()
    try:
        yield running
    finally:
        stop()
        thread.join()


async def _listen(running: Relay, host: str, port: int, delay: float) -> asyncio.Server:
    running.visits[port] = 0

    async def visited(client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        running.visits[port] += 1
        try:
            server, to_server = await asyncio.open_connection(host, port)
        except OSError:
            to_client.close()
            return
        await asyncio.gather(_direction(client, to_server, delay), _direction(server, to_client, delay))
        to_client.close()
        to_server.close()

    listening = await asyncio.start_server(visited, "127.0.0.1", 0)
    running.ports[port] = int(listening.sockets[0].getsockname()[1])
    return listening


async def _direction(source: asyncio.StreamReader, target: asyncio.StreamWriter, delay: float) -> None:
    """Hand on all that comes, each chunk `delay` seconds after it came, and at last that there is no more."""
    loop = asyncio.get_running_loop()
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def take_in() -> None:
        chunk = b"-"
        while chunk:
            try:
                chunk = await source.read(CHUNK_BYTES)
            except ConnectionError:
                chunk = b""
            under_way.put_nowait((loop.time() + delay, chunk))

    async def hand_out() -> None:
        while True:
            due, chunk = await under_way.get()
            await asyncio.sleep(due - loop.time())
            if not chunk:
                target.write_eof()
                break
            target.write(chunk)
            await target.drain()

    taking = asyncio.create_task(take_in())
    with suppress(OSError):  # the target is gone
        await hand_out()
    taking.cancel()
