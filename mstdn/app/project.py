"""The Compose project of Mastodon. Pure: the same settings and the same server give the same text."""

from mstdn.app.variables import FILE_COMMENT, mastodon_variables, streaming_variables
from mstdn.compose.parts import parts_of
from mstdn.compose.project import Project, Way
from mstdn.files.tree import ConfigDirectory, ConfigFile, revision_of
from mstdn.images.references import streaming_image, web_image
from mstdn.kinds.dotenv import dotenv_text
from mstdn.layout import MASTODON, MASTODON_PROJECT, MASTODON_SERVICES, POSTGRES, REDIS, STORES, MastodonLayout
from mstdn.render import render, static
from mstdn.secrets.operator import fingerprint_of, secrets_for
from mstdn.secrets.parts import PARTS
from mstdn.settings import Settings
from mstdn.sizing.rules import sizing_for, start_timeout_seconds, web_fits_twice

# What visitors will notice of a new web.
WEB_NOTICES = {
    Way.BESIDE: "a new web starts beside the old one, which stops once the new one serves: visitors notice nothing",
    Way.AFTER: "web stops before the new one starts: visitors get a cached page, or the one that asks them to wait. "
    "Memory and swap of this server do not hold two at once; web_side_by_side = True starts both all the same",
}


def mastodon_project(settings: Settings, memory_mib: int, *, ipv6: bool, names: tuple[str, ...] = ()) -> Project:
    """
    Mastodon's project under mastodon_root, for a server with this memory (MiB).

    ipv6: whether containers get out by IPv6. names: that the site answers for, by default those of the settings.
    """
    layout, sizing = MastodonLayout(settings.mastodon_root), sizing_for(memory_mib, settings)
    made_from = (
        ConfigFile(
            layout.compose_file,
            render(
                "app/compose.yaml.j2",
                settings=settings,
                sizing=sizing,
                ipv6=ipv6,
                start_timeout_seconds=start_timeout_seconds(memory_mib, settings),
                web_image=web_image(settings),
                streaming_image=streaming_image(settings),
                public_domains=names or settings.public_domains,
            ),
        ),
        ConfigFile(f"{layout.root}/mastodon.env", dotenv_text(mastodon_variables(settings, sizing), FILE_COMMENT)),
        ConfigFile(f"{layout.root}/streaming.env", dotenv_text(streaming_variables(settings, sizing), FILE_COMMENT)),
        ConfigFile(f"{layout.postgres}/10-mastodon.sh", static("app/10-mastodon.sh")),
    )
    revision = revision_of(made_from)[:12]
    # The name of the accounts, where it is not one of the site's.
    handles = settings.local_domain if settings.local_domain in set(names).difference(settings.public_domains) else ""
    nginx = (
        ConfigFile(
            f"{layout.nginx}/nginx.conf",
            render("app/nginx.conf.j2", settings=settings, revision=revision, handles=handles),
        ),
        ConfigFile(f"{layout.nginx}/unavailable.html", static("app/unavailable.html")),
        ConfigFile(f"{layout.nginx}/upstreams.conf", static("app/upstreams.conf")),
    )
    way = web_way(memory_mib, settings)
    return Project(
        name=MASTODON_PROJECT,
        title="Mastodon",
        directory=layout.root,
        services=MASTODON_SERVICES,
        directories=(
            ConfigDirectory(layout.root),
            ConfigDirectory(layout.assets, rights="0604"),
            ConfigDirectory(layout.database, "0700", POSTGRES, rights="0600"),
            ConfigDirectory(layout.media, "0755", MASTODON, rights="0604"),
            ConfigDirectory(layout.nginx, exclusive=True),
            ConfigDirectory(layout.postgres, exclusive=True),
            ConfigDirectory(layout.redis, "0700", REDIS, rights="0600"),
            ConfigDirectory(layout.secrets, "0700"),
            ConfigDirectory(layout.state),
            ConfigDirectory(layout.scratch, "0700", MASTODON),
        ),
        files=(*made_from, *nginx),
        reloaded=nginx,
        reload="app/reload",
        # Web first: when a release does not come up, nothing else has stopped. nginx last: it holds what visitors get
        # while web is away.
        replaced={"web": way, "streaming": Way.BESIDE, "sidekiq": Way.AFTER, "nginx": Way.BESIDE},
        move="app/move",
        first=STORES,
        parts=parts_of(made_from),
        notices={
            "db": "the database stops for a moment: visitors get a cached page, or the one that asks them to wait",
            "redis": "Redis stops for a moment: visitors get a cached page, or the one that asks them to wait",
            "nginx": "a new inner nginx starts beside the old one, which stops once the proxy asks the new one",
            "web": WEB_NOTICES[way],
            "streaming": "a new streaming server starts beside the old one, which then stops",
            "sidekiq": f"Sidekiq gets {settings.app_stop_timeout_seconds} seconds for the jobs it works on, and the "
            "run waits for it; what it cannot finish, such as converting a long film, the next one begins anew",
        },
        written_elsewhere=(layout.checksums,),
        # The operator's secrets count as well: a new password of the mail server has to reach the containers.
        # They become a checksum that is slow on purpose, so it is made where it is needed.
        inputs=lambda: (fingerprint_of(secrets_for(settings)),),
        mounted={f"{layout.secrets}/{part.file}": part.services for part in PARTS},
    )


def web_way(memory_mib: int, settings: Settings) -> Way:
    """How a new web takes over on a server with this memory (MiB)."""
    return Way.BESIDE if web_fits_twice(memory_mib, settings) else Way.AFTER
