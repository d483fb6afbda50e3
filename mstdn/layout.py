"""
Where everything of the suite lies on a server, who owns it, and how it is called there. Nothing else spells these out.
"""

from __future__ import annotations

from dataclasses import dataclass

# Compose projects.
MASTODON_PROJECT = "mstdn"
PROXY_PROJECT = "proxy"
# Where the operator wants it; an operator's own Prometheus may well be called "monitoring".
MONITORING_PROJECT = "mstdn-monitoring"

# Networks of the projects, created before them: front leads to the proxy, back has no way out, and on the third are the
# exporters and whoever the operator lets ask them.
FRONT = "front"
BACK = "back-mstdn"
MONITORING = "mstdn-monitoring"
NETWORKS = (FRONT, BACK, MONITORING)
# Each project has one of its own besides, for federation, mail and certificates.
NETWORKS_THAT_LEAD_OUT = (FRONT, f"{MASTODON_PROJECT}_outbound", f"{PROXY_PROJECT}_outbound")

MASTODON_SERVICES = ("db", "redis", "web", "streaming", "sidekiq", "nginx")
PROXY_SERVICES = ("nginx", "docker-gen", "acme-companion", "socket-proxy")
MASTODON_EXPORTER = "mastodon-exporter"
MONITORING_SERVICES = (MASTODON_EXPORTER, "node-exporter", "postgres-exporter")
STORES = ("db", "redis")
# The inner nginx comes up with the database already: the certificate is then on its way while Mastodon boots.
DATABASE_SERVICES = (*STORES, "nginx")

# Where the suite writes outside of both projects' directories: configuration and units, programs, notes and what
# packages bring, and what lasts until the next boot.
SYSTEM_PLACES = ("/etc", "/usr/local", "/var/lib", "/run")
# What the suite remembers outside of both projects' directories, because these may lie on a volume that is not mounted.
NOTES = "/var/lib/mstdn"
# What of daemon.json is the suite's.
ENGINE_NOTE = f"{NOTES}/daemon.json"
# Which instance was installed, and on which file systems it lies.
INSTANCE_NOTE = f"{NOTES}/instance"

# The rules of the firewall that were shown to let the operator in; the unit loads them when the server boots.
FIREWALL_RULES = "/etc/mstdn/firewall.nft"
FIREWALL_UNIT = "/etc/systemd/system/mstdn-firewall.service"
# What the kernel made of these rules.
FIREWALL_NOTE = f"{NOTES}/firewall"
# What runs on a server by itself: nothing else lies there, and what is no longer wanted goes.
PROGRAMS = "/usr/local/lib/mstdn"
PROGRAM_SETTINGS = f"{PROGRAMS}/settings"
UNITS = "/etc/systemd/system"
# What the programs note: the repositories that were used, the last backup, how each program went the last time.
BACKUP_NOTE = f"{NOTES}/backup"
# That a restore is under way, of which snapshot, and how far it is. Until it is finished no backup is made.
RESTORE_NOTE = f"{NOTES}/restoring"
# That an instance of before is being taken over, how far that is, and what belonged to it; and the way back.
ADOPTION_NOTE = f"{NOTES}/adoption"
ADOPTION_WAY_BACK = f"{NOTES}/go-back"
# That everything of the suite is being removed from here.
UNINSTALL_NOTE = f"{NOTES}/uninstalling"
# What restic keeps to be faster.
CACHE = "/var/cache/mstdn"
# Containers and networks that a program makes for a while and takes away again.
DRILL, POSTGRES_MOVE, ADOPTION = "mstdn-drill", "mstdn-postgres-upgrade", "mstdn-adopt"
# The unit of what takes long in a deployment: images, the dump before an upgrade, migrations, assets, containers that
# make room.
DEPLOYMENT = "mstdn-deploy"

# The numeric users of the official images.
ROOT = "0:0"
MASTODON = "991:991"
POSTGRES = "999:999"
REDIS = "999:999"
# Nobody: that is who the exporters' images run as.
EXPORTER = "65534:65534"


@dataclass(frozen=True)
class MastodonLayout:
    """The project of Mastodon: settings and state of the instance, all of it under one root."""

    root: str

    @property
    def compose_file(self) -> str:
        """What Compose reads."""
        return f"{self.root}/compose.yaml"

    @property
    def checksums(self) -> str:
        """What Compose reads by itself: a checksum of each container's part of the secrets."""
        return f"{self.root}/.env"

    @property
    def database(self) -> str:
        """PostgreSQL's data directory."""
        return f"{self.root}/database"

    @property
    def redis(self) -> str:
        """Redis' data directory: the queues of jobs."""
        return f"{self.root}/redis"

    @property
    def media(self) -> str:
        """What people uploaded."""
        return f"{self.root}/media"

    @property
    def assets(self) -> str:
        """Compiled styles and scripts, by release."""
        return f"{self.root}/assets"

    @property
    def source(self) -> str:
        """The checkout of Mastodon's source."""
        return f"{self.root}/source"

    @property
    def scratch(self) -> str:
        """The temporary files of Mastodon's programs."""
        return f"{self.root}/scratch"

    @property
    def secrets(self) -> str:
        """The directory of all secrets."""
        return f"{self.root}/secrets"

    @property
    def instance_secrets(self) -> str:
        """The only copy of what an instance cannot live without."""
        return f"{self.secrets}/instance.env"

    @property
    def operator_secrets(self) -> str:
        """What others gave the operator."""
        return f"{self.secrets}/operator.env"

    @property
    def backup_secrets(self) -> str:
        """What opens the repository of backups."""
        return f"{self.secrets}/backup"

    @property
    def alert_secrets(self) -> str:
        """Where alerts go."""
        return f"{self.secrets}/alerts"

    @property
    def monitoring(self) -> str:
        """The project of monitoring."""
        return f"{self.root}/monitoring"

    @property
    def nginx(self) -> str:
        """The configuration of the inner nginx."""
        return f"{self.root}/nginx"

    @property
    def postgres(self) -> str:
        """What PostgreSQL runs when its data directory is new."""
        return f"{self.root}/postgres"

    @property
    def state(self) -> str:
        """What was installed, pulled and applied."""
        return f"{self.root}/state"

    @property
    def installed(self) -> str:
        """What was installed: domain, release, and how far an upgrade is."""
        return f"{self.state}/installed.env"

    @property
    def postgres_upgrade(self) -> str:
        """The note that the database moves into a new data directory, and how far it is."""
        return f"{self.state}/postgres-upgrade"

    @property
    def suite(self) -> str:
        """Version and commit of the suite that converged the server last."""
        return f"{self.state}/suite"

    @property
    def retention(self) -> str:
        """The note that somebody has chosen how long content is kept."""
        return f"{self.state}/retention"

    @property
    def images(self) -> str:
        """Which content each tag stood for when it was first pulled."""
        return f"{self.state}/images"


@dataclass(frozen=True)
class ProxyLayout:
    """The project of the proxy."""

    root: str

    @property
    def certificates(self) -> str:
        """What nginx serves: certificates, keys, and the links by which it finds them."""
        return f"{self.root}/certs"

    @property
    def acme(self) -> str:
        """The account at the authority, and its client's own records."""
        return f"{self.root}/acme"

    @property
    def generated(self) -> str:
        """What docker-gen writes: nginx' configuration."""
        return f"{self.root}/conf.d"

    @property
    def sites(self) -> str:
        """Additions to the configuration of single sites, by host name; those of other sites are theirs."""
        return f"{self.root}/vhost.d"

    @property
    def passwords(self) -> str:
        """Passwords of other sites behind the proxy, by host name."""
        return f"{self.root}/htpasswd"

    @property
    def challenges(self) -> str:
        """What the authority asks for."""
        return f"{self.root}/html"

    @property
    def authorities(self) -> str:
        """The roots of a private authority."""
        return f"{self.root}/ca-bundle"

    @property
    def state(self) -> str:
        """What was applied."""
        return f"{self.root}/state"
