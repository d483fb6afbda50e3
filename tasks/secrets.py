"""
Secrets: the instance's own are made once, on the server, by Mastodon's own commands; yours come from secrets.env.

Run alone:  pyinfra inventory.py tasks/secrets.py
"""

from pyinfra import host

from mstdn.secrets.operations import secrets
from mstdn.secrets.operator import secrets_for
from mstdn.settings import settings_for
from mstdn.stack import web_image

settings = settings_for(host)

secrets(
    name="Make the instance's secrets and hand them to the containers",
    directory=f"{settings.mastodon_root}/secrets",
    database=f"{settings.mastodon_root}/database",
    image=web_image(settings),
    operator=secrets_for(settings),
)
