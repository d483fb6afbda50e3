"""
Secrets: the instance's own are made once, on the server, by Mastodon's own commands; yours come from secrets.env.

Run by itself:  pyinfra inventory.py tasks/secrets.py
"""

from pyinfra import host

from mstdn.images.references import web_image
from mstdn.layout import MastodonLayout
from mstdn.secrets.operations import secrets
from mstdn.secrets.operator import secrets_for
from mstdn.secrets.parts import made_for, words_for
from mstdn.settings import settings_for

settings = settings_for(host)
layout = MastodonLayout(settings.mastodon_root)

secrets(
    name="Make the instance's secrets and give each container its part",
    directory=layout.secrets,
    database=layout.database,
    image=web_image(settings),
    operator=secrets_for(settings),
    made=made_for(settings),
    words=words_for(settings),
)
