"""
The programs of the image, by name: rails, rake, tootctl, puma, sidekiq, prometheus_exporter, and bundle to start any.
"""

from __future__ import annotations

import sys
from pathlib import Path

import psycopg2  # type: ignore[import-untyped]
import redis  # type: ignore[import-not-found]

from .environment import ROOT, AbortError, load_dotenv


def main(arguments: list[str]) -> int:
    """Run a program by name with its arguments and give its exit code."""
    try:
        load_dotenv()
        return _run(Path(arguments[0]).name, arguments[1:])
    except AbortError as error:
        print(error, file=sys.stderr, flush=True)
    except (psycopg2.Error, redis.RedisError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
    return 1


def _run(name: str, arguments: list[str]) -> int:
    if name == "bundle":
        if Path.cwd() != ROOT:
            raise AbortError("Could not locate Gemfile or .bundle/ directory")
        if arguments[:1] != ["exec"] or len(arguments) < 2:
            raise AbortError("Only `bundle exec PROGRAM` is here.")
        return _run(Path(arguments[1]).name, arguments[2:])
    if name in {"rails", "rake"}:
        from . import rails

        return rails.main(arguments)
    if name == "tootctl":
        from . import tootctl

        return tootctl.main(arguments)
    if name == "puma":
        from . import puma

        return puma.main(arguments)
    if name == "sidekiq":
        from . import sidekiq

        return sidekiq.main(arguments)
    if name == "prometheus_exporter":
        from . import prometheus

        return prometheus.main(arguments)
    raise AbortError(f"bundler: command not found: {name}")
