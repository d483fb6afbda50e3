"""
Status: how a server is, and what is wrong with it, on one screen. It changes nothing.

The exit code is 1 if anything is wrong.

Run:  pyinfra inventory.py tasks/status.py
      … --data format=json    for programs
"""

import click
from pyinfra import host
from pyinfra.api.exceptions import DeployError, FactProcessError

from mstdn.asking import foresee
from mstdn.settings import settings_for
from mstdn.status.ending import end_when_all_are_told
from mstdn.status.looking import look, of_a_look, wanted
from mstdn.status.rules import complaints
from mstdn.status.screen import as_json, text

settings = settings_for(host)
foresee(of_a_look)

try:
    seen = look(settings)
except FactProcessError as error:
    raise DeployError(str(error)) from None

should = wanted(settings)
found = complaints(seen, should)
tell = as_json if settings.format == "json" else text
# Standard output has this and nothing else: pyinfra's own words go to the other one.
click.echo(tell(host.name, settings.site_domain, seen, should, found))

end_when_all_are_told(host, wrong=any(each.level == "error" for each in found))
