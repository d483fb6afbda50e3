"""The Compose project of the proxy. Pure: the same settings and the same server give the same text."""

from pathlib import Path

from mstdn.compose.project import Project, Way
from mstdn.files.tree import ConfigDirectory, ConfigFile
from mstdn.layout import PROXY_PROJECT, PROXY_SERVICES, ProxyLayout
from mstdn.render import render, static
from mstdn.settings import Settings


def proxy_project(settings: Settings, *, ipv6: bool, names: tuple[str, ...] = ()) -> Project:
    """
    The proxy's project under proxy_root. `ipv6`: whether it is published on IPv6 as well. `names`: that it answers for,
    by default the site's.
    """
    layout = ProxyLayout(settings.proxy_root)
    bundle = (
        (ConfigFile(f"{layout.authorities}/acme-ca-bundle.pem", Path(settings.acme_ca_bundle).read_text()),)
        if settings.acme_ca_bundle
        else ()
    )
    sites = tuple(
        ConfigFile(f"{layout.sites}/{domain}", render("proxy/vhost.conf.j2", settings=settings, domain=domain))
        for domain in names or settings.public_domains
    )
    nginx = ConfigFile(f"{layout.root}/nginx.conf", static("proxy/nginx.conf"))
    return Project(
        name=PROXY_PROJECT,
        title="the proxy",
        directory=layout.root,
        services=PROXY_SERVICES,
        directories=(
            ConfigDirectory(layout.root),
            ConfigDirectory(layout.acme, "0700", rights="0600"),
            ConfigDirectory(layout.authorities, exclusive=True),
            ConfigDirectory(layout.certificates, rights="0600"),
            ConfigDirectory(layout.generated),
            ConfigDirectory(layout.challenges),
            ConfigDirectory(layout.state),
            # Other sites behind the proxy have their own files in these two.
            ConfigDirectory(layout.sites),
            ConfigDirectory(layout.passwords),
        ),
        files=(
            ConfigFile(f"{layout.root}/compose.yaml", render("proxy/compose.yaml.j2", settings=settings, ipv6=ipv6)),
            nginx,
            *bundle,
            *sites,
        ),
        reloaded=sites,
        reload="proxy/reload",
        replaced={"nginx": Way.HANDOVER},
        move="proxy/move",
        notices={"nginx": "another proxy takes over while the proxy is made anew"},
        mounted={nginx.path: ("nginx",)} | {file.path: ("acme-companion",) for file in bundle},
        listeners={"docker-gen": "socket-proxy", "acme-companion": "socket-proxy"},
    )
