"""The docker-gen command: docker-gen [flags] /app/nginx.tmpl DESTINATION; flags as nginx-proxy uses."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser

from docker_engine import Engine, EngineError, endpoint_from_environment
from docker_gen import Generator, Watcher, fatal, log, parse_wait
from nginx_configuration import UNMODELLED, TemplateError, render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from docker_engine import Container

VERSION = "0.17.2"
# The template is built into this stand-in; the file of the image only says so.
TEMPLATE_MARK = "# nginx.tmpl of nginx-proxy 1.11, built into this stand-in of docker-gen\n"


def parse_filters(entries: list[str]) -> dict[str, list[str]]:
    """NAME=VALUE entries, grouped by name; others are ignored, as docker-gen does."""
    filters: dict[str, list[str]] = {}
    for name, equals, value in (entry.strip().partition("=") for entry in entries):
        if equals:
            filters.setdefault(name, []).append(value)
    return filters


def render_or_die(containers: list[Container]) -> str:
    """The configuration for the containers; a template that cannot be filled in ends docker-gen."""
    try:
        return render(containers, os.environ)
    except TemplateError as error:
        fatal(f"Template error: {error}")


def check_template(path: str) -> None:
    """End with 1 where the template is not the built-in one."""
    try:
        with open(path) as template:
            if template.read() == TEMPLATE_MARK:
                return
    except OSError as error:
        fatal(f"Unable to parse template: {error}")
    fatal(f"Unable to parse template: {path} is not nginx-proxy's own; this stand-in fills in no other")


def main() -> None:
    """Parse the command line and generate, once or until told to stop."""
    parser = ArgumentParser("docker-gen", allow_abbrev=False, add_help=False)
    parser.add_argument("-version", "--version", action="store_true")
    parser.add_argument("-watch", "--watch", action="store_true")
    parser.add_argument("-wait", "--wait", default="")
    parser.add_argument("-endpoint", "--endpoint", default=endpoint_from_environment())
    for name in ("event", "container", "notify"):
        parser.add_argument(f"-{name}-filter", f"--{name}-filter", action="append", default=[])
    parser.add_argument("template", nargs="?")
    parser.add_argument("destination", nargs="?")
    options = parser.parse_args()
    if options.version:
        print(VERSION)
        return
    if not options.template or not options.destination:
        parser.print_usage(sys.stderr)
        sys.exit(1)
    try:
        wait = parse_wait(options.wait)
    except ValueError as error:
        fatal(f"Error parsing wait interval: {error}")
    check_template(options.template)
    for name in UNMODELLED:
        if os.environ.get(name, "").lower() not in ("", "0", "f", "false"):
            fatal(f"Template error: {name} is not modelled by this stand-in")

    engine = Engine(options.endpoint)
    notify_filter = parse_filters(options.notify_filter)

    def notify() -> None:
        if not notify_filter:
            return
        try:
            receivers = engine.containers(notify_filter, everyone=False)
        except EngineError as error:
            log(f"Error getting containers: {error}")
            return
        for receiver in receivers:
            log(f"Sending container '{receiver['Id']}' signal '1'")
            try:
                engine.kill(receiver["Id"], "1")
            except EngineError as error:
                log(f"Error sending signal to container: {error}")

    entries = options.container_filter or os.environ.get("DOCKER_CONTAINER_FILTERS", "").split(",")
    generator = Generator(engine, options.destination, render_or_die, notify, parse_filters(entries))
    try:
        engine.get("/version")
    except EngineError as error:
        log(f"Error retrieving docker server version info: {error}")
    generator.generate()
    if options.watch:
        events = tuple(parse_filters(options.event_filter).get("event", ()))
        Watcher(engine, events, wait, generator.generate, {}).run()


if __name__ == "__main__":
    main()
