"""
The settings of socket-proxy, from its command line and environment.

Facts are from internal/config of wollomatic/socket-proxy 1.13.1.
"""

from __future__ import annotations

import ipaddress
import os
import re
from argparse import ArgumentParser

from socket_proxy_log import LEVELS

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "TRACE", "OPTIONS")
UNMODELLED = ("allowbindmountfrom", "proxycontainername", "proxysocketendpoint")


class ConfigurationError(Exception):
    """A flag or variable has a value that the proxy does not take."""


class Configuration:
    """What the command line says, else the environment, else the default. Raises ConfigurationError."""

    def __init__(self, arguments: list[str]) -> None:
        parser = ArgumentParser("socket-proxy", allow_abbrev=False, add_help=False)

        def add(name: str, default: str, *, is_switch: bool = False) -> None:
            flags, value = (f"-{name}", f"--{name}"), os.environ.get(f"SP_{name.upper()}") or default
            if is_switch:
                parser.add_argument(*flags, default=value, nargs="?", const="true")
            else:
                parser.add_argument(*flags, default=value)

        add("allowfrom", "127.0.0.1/32")
        add("listenip", "127.0.0.1")
        add("loglevel", "INFO")
        add("proxyport", "2375")
        add("shutdowngracetime", "10")
        add("socketpath", "/var/run/docker.sock")
        add("watchdoginterval", "0")
        for name in ("allowhealthcheck", "logjson", "stoponwatchdog"):
            add(name, "false", is_switch=True)
        for name in UNMODELLED:
            add(name, "")
        for method in METHODS:
            parser.add_argument(f"-allow{method}", f"--allow{method}", action="append", default=[])
        options = vars(parser.parse_args(arguments))

        for name in UNMODELLED:
            if options[name]:
                raise ConfigurationError(f"{name} is not modelled by this stand-in")
        self.allow_from: list[str] = options["allowfrom"].split(",")
        self.listen_ip = _ip(options["listenip"])
        self.proxy_port = _number("proxyport", options["proxyport"])
        if not 1 <= self.proxy_port <= 65535:
            raise ConfigurationError("port number has to be between 1 and 65535")
        self.log_level: str = options["loglevel"].upper()
        if self.log_level not in LEVELS:
            raise ConfigurationError(
                f"invalid log level {options['loglevel']}: Supported levels are DEBUG, INFO, WARN, ERROR"
            )
        self.socket_path: str = options["socketpath"]
        self.grace_seconds = _number("shutdowngracetime", options["shutdowngracetime"])
        self.watchdog_seconds = _number("watchdoginterval", options["watchdoginterval"])
        self.allow_healthcheck = _truth("allowhealthcheck", options["allowhealthcheck"])
        self.log_json = _truth("logjson", options["logjson"])
        self.stop_on_watchdog = _truth("stoponwatchdog", options["stoponwatchdog"])
        self.allowed = {
            method: [_expression(method, each) for each in expressions]
            for method in METHODS
            if (expressions := list(filter(None, options[f"allow{method}"] or _from_environment(method))))
        }


def _ip(text: str) -> str:
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        raise ConfigurationError(f'invalid IP "{text}" for listenip (the stand-in takes IPv4 only)') from None


def _number(name: str, text: str) -> int:
    if not text.isdecimal():
        raise ConfigurationError(f'invalid value "{text}" for flag -{name}: parse error')
    return int(text)


def _truth(name: str, text: str) -> bool:
    if text in ("1", "t", "T", "TRUE", "true", "True"):
        return True
    if text in ("0", "f", "F", "FALSE", "false", "False"):
        return False
    raise ConfigurationError(f'invalid boolean value "{text}" for -{name}: parse error')


def _from_environment(method: str) -> list[str]:
    """SP_ALLOW_GET, SP_ALLOW_GET_0, SP_ALLOW_GET_anything: one expression each."""
    prefix = f"SP_ALLOW_{method}"
    return [value for name, value in os.environ.items() if name == prefix or name.startswith(f"{prefix}_")]


def _expression(method: str, text: str) -> re.Pattern[str]:
    try:
        if re.search(r"\(\?<?[=!]|\\[1-9]", text):
            raise re.error("invalid or unsupported Perl syntax")
        # Without a group around `text`, on purpose: so "a|b" means "^a" or "b$", as in the real one.
        return re.compile(rf"^{text}\Z")
    except re.error as error:
        raise ConfigurationError(f'invalid regex "{text}" for method {method}: {error}') from error
