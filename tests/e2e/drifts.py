"""
What may happen to a server that was deployed, row by row: how it is done, what a plan says of it, how one sees that it
is mended.

A row is read by test_drift.py. What it does not name has to stay: containers that are in order keep ID and start time,
and all files, options and links are afterwards as they were before.
"""

from __future__ import annotations

from dataclasses import dataclass

# Operations.
SWAP = "tasks/swap.py | Provide swap space"
FIREWALL = "tasks/firewall.py | Let in SSH, HTTP and HTTPS, and nothing else"
KEY = "tasks/docker.py | Trust Docker's apt repository"
PACKAGES = "tasks/docker.py | Install Docker Engine and Compose"
DAEMON = "tasks/docker.py | Configure the Docker daemon"
GROUP = "tasks/docker.py | Set the members of the group docker"
NETWORKS = "tasks/networks.py | Create the networks front and back-mstdn"
WAYS = "tasks/networks.py | Keep the containers' ways in and out open"
CHECKOUT = "tasks/checkout.py | Check out the source of Mastodon's release"
FILES = "tasks/configuration.py | Write the configuration of Mastodon"
PROXY_FILES = "tasks/configuration.py | Write the configuration of the proxy"
IMAGES = "tasks/images.py | Pull the images of both projects"
SECRETS = "tasks/secrets.py | Make the instance's secrets and give each container its part"
DATABASE = "tasks/database.py | Prepare the database for the release"
LOGINS = "tasks/database.py | Keep the password of the database in force"
ASSETS = "tasks/assets.py | Publish the release's compiled assets"
PROXY = "tasks/proxy.py | Start the proxy"
CERTIFICATES = "tasks/certificates.py | Keep the certificates in order"
APP = "tasks/app.py | Start Mastodon"
TIMERS = "tasks/timers.py | Install the programs that run by themselves"


@dataclass(frozen=True)
class Drift:
    """
    `make`: command lines that root runs on the server; `c PROJECT SERVICE` prints the ID of a container.
    `planned`: the operations that the plan announces, and the run then does. `words`: what the plan says.
    `mended`: a command line that ends with 0 on the server when all is well. `touched`: the containers
    ("project/service") that have another ID or start time afterwards. `anew`: prefixes of paths whose content may be
    another afterwards.

    `refused`: words of the refusal, for what is refused on purpose; `undo` then puts it back, as the words say.
    `sample`: one of those that every run of the tests tries.
    """

    name: str
    make: str
    planned: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    mended: str = "true"
    touched: tuple[str, ...] = ()
    anew: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    undo: str = ""
    sample: bool = False


M, P = "/srv/mastodon", "/srv/proxy"
DOMAIN = "social.example.org"
CERTS = f"{P}/certs"
KEPT = f"{P}/acme/operator@example.org/{DOMAIN}_ecc"


def _of(service: str) -> str:
    return f"$(c {service.replace('/', ' ')})"


def _operation(service: str) -> str:
    return APP if service.startswith("mstdn") else PROXY


def _container(
    name: str,
    service: str,
    command: str,
    words: str,
    *,
    keeps: bool = False,
    mended: str = "true",
    sample: bool = False,
) -> Drift:
    """Something that happens to one container; `keeps`: it is the same container, never stopped, afterwards."""
    return Drift(
        f"{service}: {name}",
        command.replace("ID", _of(service)),
        (_operation(service),),
        (f"{service.rpartition('/')[2]} {words}",),
        mended,
        () if keeps else (service,),
        sample=sample,
    )


def _stopped(service: str, sample: bool = False) -> Drift:
    return _container("stopped", service, "docker stop --time 5 ID", "is exited", sample=sample)


def _removed(service: str, sample: bool = False) -> Drift:
    return _container("removed", service, "docker rm --force ID", "does not exist", sample=sample)


def _paused(service: str, sample: bool = False) -> Drift:
    return _container("paused", service, "docker pause ID", "is paused", keeps=True, sample=sample)


def _off(service: str, network: str, sample: bool = False) -> Drift:
    command = f"docker network disconnect {network} ID"
    return _container(
        f"taken off the network {network}", service, command, "was changed by hand: networks", sample=sample
    )


CONTAINERS = (
    _stopped("mstdn/web"),
    _stopped("mstdn/db"),
    _stopped("mstdn/redis"),
    _stopped("mstdn/sidekiq"),
    _stopped("mstdn/streaming"),
    _stopped("mstdn/nginx"),
    _stopped("proxy/nginx", sample=True),
    _container(
        "stopped, with half of its configuration, as a power cut may leave it",
        "proxy/nginx",
        # docker-gen notices that it stopped, and writes; then it is quiet.
        f"docker stop --time 5 ID; sleep 3; truncate --size 2000 {P}/conf.d/default.conf",
        "is exited",
    ),
    _stopped("proxy/docker-gen"),
    _stopped("proxy/acme-companion"),
    _stopped("proxy/socket-proxy"),
    _removed("mstdn/web"),
    _removed("mstdn/db"),
    _removed("mstdn/redis"),
    _removed("mstdn/sidekiq", sample=True),
    _removed("mstdn/streaming"),
    _removed("mstdn/nginx"),
    _removed("proxy/nginx"),
    _removed("proxy/docker-gen"),
    _removed("proxy/acme-companion"),
    _removed("proxy/socket-proxy"),
    _paused("mstdn/web", sample=True),
    _paused("mstdn/db"),
    _paused("mstdn/redis"),
    _paused("mstdn/sidekiq"),
    _paused("mstdn/streaming"),
    _paused("mstdn/nginx"),
    _paused("proxy/nginx"),
    _paused("proxy/docker-gen"),
    _paused("proxy/acme-companion"),
    _paused("proxy/socket-proxy"),
    Drift(
        "mstdn/web: its process killed, so that Docker starts it again",
        f"kill -9 $(docker inspect --format '{{{{.State.Pid}}}}' {_of('mstdn/web')});"
        f" until [ $(docker inspect --format '{{{{.State.Running}}}}' {_of('mstdn/web')}) = true ]; do sleep 0.2; done",
        touched=("mstdn/web",),
    ),
    _container(
        "broken in what it holds of its own, so that it ends whenever it is started",
        "proxy/acme-companion",
        "docker exec ID sh -c ': >/app/entrypoint.sh'; docker restart ID;"
        # Docker waits longer each time.
        " until [ \"$(docker inspect --format '{{.State.Status}} {{.RestartCount}}' ID)\" = 'restarting 6' ];"
        " do sleep 0.2; done",
        "is restarting",
        sample=True,
    ),
    _container("killed by hand, so that it stays away", "mstdn/streaming", "docker kill ID", "is exited"),
    Drift(
        "four services hang until they are unhealthy",
        "for service in web sidekiq streaming; do"
        " kill -STOP $(pgrep -P $(docker inspect --format '{{.State.Pid}}' $(c mstdn $service))); done;"
        " kill -STOP $(docker inspect --format '{{.State.Pid}}' $(c mstdn redis));"
        " for service in web sidekiq streaming redis; do"
        " until [ $(docker inspect --format '{{.State.Health.Status}}' $(c mstdn $service)) = unhealthy ];"
        " do sleep 1; done; done",
        (APP,),
        ("web is unhealthy", "sidekiq is unhealthy", "streaming is unhealthy", "redis is unhealthy"),
        touched=("mstdn/web", "mstdn/sidekiq", "mstdn/streaming", "mstdn/redis"),
    ),
    _container(
        "no longer started at boot", "mstdn/db", "docker update --restart=no ID", "was changed by hand: restart"
    ),
    _container(
        "started at boot only after a failure",
        "proxy/nginx",
        "docker update --restart=on-failure:3 ID",
        "was changed by hand: restart",
    ),
    Drift(
        "mstdn/web: exists twice",
        f"cd {M} && docker compose up --detach --no-deps --no-recreate --scale web=2 web 2>/dev/null",
        (APP,),
        ("web exists 2 times",),
        '[ "$(docker ps --quiet --filter label=com.docker.compose.service=web | wc -l)" = 1 ]',
    ),
    Drift(
        "mstdn/redis: a container of somebody's own beside it, from the same image",
        "docker run --detach --name mstdn-neighbour $(image mstdn redis) sleep 600",
        mended="docker rm --force mstdn-neighbour",
    ),
    Drift(
        "a container of a service that is no longer part of the project",
        "docker run --detach --name mstdn-old-1 --label com.docker.compose.project=mstdn --label "
        "com.docker.compose.service=old"
        " --label com.docker.compose.oneoff=False --label com.docker.compose.container-number=1"
        " --label com.docker.compose.config-hash=0f"
        f" --label com.docker.compose.project.working_dir={M}"
        " $(image mstdn redis) sleep 600",
        (APP,),
        ("old is no longer part of it",),
        "! docker inspect mstdn-old-1",
    ),
    Drift(
        "a container of somebody's own with the project's label, as some put it there for the order of their lists",
        "docker run --detach --name mstdn-guest --label com.docker.compose.project=mstdn --label"
        " com.docker.compose.service=guest $(image mstdn redis) sleep 600",
        mended="docker rm --force mstdn-guest",
    ),
)

CONNECTIONS = (
    _off("mstdn/db", "back-mstdn", sample=True),
    _off("mstdn/web", "back-mstdn"),
    _off("mstdn/web", "mstdn_outbound"),
    _off("mstdn/sidekiq", "mstdn_outbound"),
    _off("mstdn/streaming", "back-mstdn"),
    _off("mstdn/redis", "back-mstdn"),
    _off("mstdn/nginx", "front"),
    _off("mstdn/nginx", "back-mstdn"),
    _off("proxy/nginx", "front"),
    _off("proxy/acme-companion", "proxy_outbound"),
    _off("proxy/docker-gen", "proxy_control"),
    Drift(
        "proxy/socket-proxy: taken off the network proxy_control",
        "docker network disconnect proxy_control $(c proxy socket-proxy)",
        (PROXY,),
        (
            "socket-proxy was changed by hand: networks",
            "docker-gen lost its connection to socket-proxy",
            "acme-companion lost its connection to socket-proxy",
        ),
        touched=("proxy/socket-proxy", "proxy/docker-gen", "proxy/acme-companion"),
    ),
    Drift(
        "proxy/socket-proxy: made anew by hand after it had lost its network, so that who listened to it is deaf",
        # It takes until the next keep-alive probe, and then two looks of the health check.
        "docker network disconnect proxy_control $(c proxy socket-proxy);"
        f" cd {P} && docker compose up --detach --force-recreate socket-proxy 2>/dev/null;"
        " for service in docker-gen acme-companion; do"
        " until [ $(docker inspect --format '{{.State.Health.Status}}' $(c proxy $service)) = unhealthy ];"
        " do sleep 1; done; done",
        (PROXY,),
        ("docker-gen is unhealthy", "acme-companion is unhealthy"),
        touched=("proxy/socket-proxy", "proxy/docker-gen", "proxy/acme-companion"),
    ),
    _container(
        "on the network front as well",
        "mstdn/web",
        "docker network connect front ID",
        "was changed by hand: networks",
    ),
    _container(
        "on its network again, but without its name there",
        "mstdn/db",
        # The kernel may not have let go of the interface yet.
        "docker network disconnect back-mstdn ID; until docker network connect back-mstdn ID;"
        " do docker network disconnect --force back-mstdn ID; sleep 0.2; done",
        "was changed by hand: networks",
    ),
    Drift(
        "the network front was made anew by hand",
        f"docker network disconnect --force front {_of('mstdn/nginx')}; docker network disconnect --force front "
        f"{_of('proxy/nginx')};"
        " docker network rm front; docker network create front",
        (PROXY, APP),
        ("the proxy: nginx was changed by hand: networks", "Mastodon: nginx was changed by hand: networks"),
        touched=("mstdn/nginx", "proxy/nginx"),
    ),
    Drift(
        "the network front was made anew by hand while the proxy was stopped",
        f"docker stop {_of('proxy/nginx')} {_of('mstdn/nginx')}; docker network disconnect --force front "
        f"{_of('mstdn/nginx')};"
        f" docker network disconnect --force front {_of('proxy/nginx')}; docker network rm front; docker network "
        "create front",
        (PROXY, APP),
        ("the proxy: nginx was changed by hand: networks", "Mastodon: nginx was changed by hand: networks"),
        touched=("mstdn/nginx", "proxy/nginx"),
    ),
    Drift(
        "the network front was removed",
        f"docker network disconnect --force front {_of('mstdn/nginx')}; docker network disconnect --force front "
        f"{_of('proxy/nginx')}; docker network rm front",
        (NETWORKS, PROXY, APP),
        (
            "the network front does not exist",
            "the proxy: nginx was changed by hand: networks",
            "Mastodon: nginx was changed by hand: networks",
        ),
        touched=("mstdn/nginx", "proxy/nginx"),
    ),
    Drift(
        "the network back-mstdn was removed",
        "for service in db redis web streaming sidekiq nginx; do docker network disconnect --force back-mstdn "
        "$(c mstdn $service); done;"
        " docker network rm back-mstdn",
        (NETWORKS, APP),
        (
            "the network back-mstdn does not exist",
            *(f"{each} was changed by hand: networks" for each in ("db", "redis", "web")),
        ),
        touched=tuple(f"mstdn/{service}" for service in ("db", "redis", "web", "streaming", "sidekiq", "nginx")),
    ),
    Drift(
        "the project's own way out was removed",
        "for service in web sidekiq; do docker network disconnect --force mstdn_outbound $(c mstdn $service); done;"
        " docker network rm mstdn_outbound",
        (APP,),
        ("web was changed by hand: networks", "sidekiq was changed by hand: networks"),
        touched=("mstdn/web", "mstdn/sidekiq"),
    ),
)

PROJECT_FILES = (
    Drift(
        "compose.yaml of Mastodon edited",
        f"sed -i 's/restart: always/restart: \"no\"/' {M}/compose.yaml",
        (FILES, APP),
        (f"{M}/compose.yaml",),
        sample=True,
    ),
    Drift("compose.yaml of the proxy deleted", f"rm {P}/compose.yaml", (PROXY_FILES, PROXY), (f"{P}/compose.yaml",)),
    Drift("compose.yaml world-writable", f"chmod 0666 {M}/compose.yaml", (FILES,), (f"{M}/compose.yaml",)),
    Drift(
        "compose.yaml given to another user",
        f"chown 1000:1000 {P}/compose.yaml",
        (PROXY_FILES,),
        (f"{P}/compose.yaml",),
    ),
    Drift(
        "mastodon.env edited and put in force",
        f"echo RAILS_LOG_LEVEL=debug >>{M}/mastodon.env; cd {M} && docker compose up --detach --wait web 2>/dev/null",
        (FILES, APP),
        (f"{M}/mastodon.env",),
        touched=("mstdn/web",),
    ),
    Drift("mastodon.env deleted", f"rm {M}/mastodon.env", (FILES, APP), (f"{M}/mastodon.env",)),
    Drift("streaming.env emptied", f": >{M}/streaming.env", (FILES, APP), (f"{M}/streaming.env",)),
    Drift(
        "nginx.conf of the inner nginx edited",
        f"sed -i 's/server_tokens off/server_tokens on/' {M}/nginx/nginx.conf; docker kill --signal HUP "
        f"{_of('mstdn/nginx')}",
        (FILES, APP),
        (f"{M}/nginx/nginx.conf",),
    ),
    Drift(
        "nginx.conf of the inner nginx full of rubbish",
        f"echo rubbish >{M}/nginx/nginx.conf",
        (FILES, APP),
        (f"{M}/nginx/nginx.conf",),
    ),
    Drift(
        "the page for visitors who have to wait deleted",
        f"rm {M}/nginx/unavailable.html",
        (FILES, APP),
        (f"{M}/nginx/unavailable.html",),
    ),
    Drift("a stray file beside nginx.conf", f"touch {M}/nginx/stray.conf", (FILES,), (f"{M}/nginx/stray.conf",)),
    Drift(
        "a script of somebody's among those that make the database",
        f"echo 'exit 1' >{M}/postgres/99.sh",
        (FILES,),
        (f"{M}/postgres/99.sh",),
    ),
    Drift(
        "the site's file of the proxy edited",
        f"sed -i 's/client_max_body_size.*/client_max_body_size 1k;/' {P}/vhost.d/{DOMAIN}; docker kill --signal "
        f"HUP {_of('proxy/nginx')}",
        (PROXY_FILES, PROXY),
        (f"{P}/vhost.d/{DOMAIN}",),
    ),
    Drift(
        "the site's file of the proxy deleted",
        f"rm {P}/vhost.d/{DOMAIN}",
        (PROXY_FILES, PROXY),
        (f"{P}/vhost.d/{DOMAIN}",),
    ),
    Drift(
        "the authority's roots edited",
        f"echo >>{P}/ca-bundle/acme-ca-bundle.pem",
        (PROXY_FILES, PROXY),
        (f"{P}/ca-bundle/acme-ca-bundle.pem",),
        touched=("proxy/acme-companion",),
    ),
    Drift("media closed to the inner nginx", f"chmod 0700 {M}/media", (FILES,), (f"{M}/media",)),
    Drift("media given to root", f"chown 0:0 {M}/media", (FILES,), (f"{M}/media",)),
    Drift("the database's directory open to all", f"chmod 0755 {M}/database", (FILES,), (f"{M}/database",)),
    Drift("the root of Mastodon closed", f"chmod 0700 {M}", (FILES,), (f"{M} ",)),
    Drift("the secrets' directory open to all", f"chmod 0755 {M}/secrets", (FILES,), (f"{M}/secrets",)),
    Drift("the ACME account's directory open to all", f"chmod 0755 {P}/acme", (PROXY_FILES,), (f"{P}/acme",)),
    Drift(
        "the note of what was applied lost",
        f"rm {M}/state/applied {P}/state/applied",
        (PROXY, APP),
        ("it is not as its files say",),
    ),
    Drift(
        "the note of what containers were made with lost",
        f"rm {M}/state/making {P}/state/making",
        (PROXY, APP),
        ("is not noted",),
    ),
    Drift(
        "the scratch directory removed",
        f"rm -rf {M}/scratch",
        (FILES, APP),
        (f"{M}/scratch", "web holds /tmp", "sidekiq holds /tmp"),
        touched=("mstdn/web", "mstdn/sidekiq"),
    ),
    Drift(
        "the directory of the proxy's challenges removed",
        f"rm -rf {P}/html",
        (PROXY_FILES, PROXY),
        (f"{P}/html",),
        touched=("proxy/nginx", "proxy/docker-gen", "proxy/acme-companion"),
        # The companion makes it with the next challenge.
        anew=(f"{P}/html/.well-known",),
    ),
)

SECRET_FILES = (
    Drift(".env deleted", f"rm {M}/.env", (SECRETS, APP), (f"{M}/.env",)),
    Drift(".env edited", f"sed -i 's/=./=x/' {M}/.env", (SECRETS, APP), (f"{M}/.env",)),
    Drift(".env closed to the members of the group docker", f"chmod 0600 {M}/.env", (SECRETS,), (f"{M}/.env",)),
    Drift(
        "the part of web and Sidekiq edited",
        f"sed -i 's/^DB_PASS=./DB_PASS=x/' {M}/secrets/mastodon.env",
        (SECRETS, APP),
        (f"{M}/secrets/mastodon.env",),
        touched=("mstdn/web", "mstdn/sidekiq"),
        sample=True,
    ),
    Drift(
        "the part of streaming deleted",
        f"rm {M}/secrets/streaming.env",
        (SECRETS, APP),
        (f"{M}/secrets/streaming.env",),
        touched=("mstdn/streaming",),
    ),
    Drift(
        "the part of Redis edited",
        f"echo requirepass other >{M}/secrets/redis.conf",
        (SECRETS, APP),
        (f"{M}/secrets/redis.conf", "redis does not let Mastodon in"),
        touched=("mstdn/redis",),
    ),
    Drift(
        "the part of the database open to all",
        f"chmod 0444 {M}/secrets/postgres-password",
        (SECRETS,),
        (f"{M}/secrets/postgres-password",),
    ),
    Drift(
        "instance.env open to all", f"chmod 0644 {M}/secrets/instance.env", (SECRETS,), (f"{M}/secrets/instance.env",)
    ),
    Drift(
        "operator.env edited",
        f"sed -i \"s/^SMTP_PASSWORD=.*/SMTP_PASSWORD='other'/\" {M}/secrets/operator.env",
        (SECRETS,),
        (f"{M}/secrets/operator.env",),
    ),
    Drift("operator.env deleted", f"rm {M}/secrets/operator.env", (SECRETS,), (f"{M}/secrets/operator.env",)),
    Drift(
        "operator.env open to all", f"chmod 0644 {M}/secrets/operator.env", (SECRETS,), (f"{M}/secrets/operator.env",)
    ),
    Drift(
        "a key in instance.env damaged",
        f"cp -a {M}/secrets/instance.env /root/kept; sed -i 's/^VAPID_PRIVATE_KEY=..../VAPID_PRIVATE_KEY=/' "
        f"{M}/secrets/instance.env",
        refused=(f"{M}/secrets/instance.env", "is damaged", "backup"),
        undo=f"mv /root/kept {M}/secrets/instance.env",
        sample=True,
    ),
    Drift(
        "instance.env lost",
        f"mv {M}/secrets/instance.env /root/kept",
        refused=(f"{M}/secrets/instance.env", "lacks", "backup"),
        undo=f"mv /root/kept {M}/secrets/instance.env",
    ),
)

PSQL = "docker exec $(c mstdn db) psql --username postgres --quiet --command"
STORES = (
    Drift(
        "the database's password changed inside PostgreSQL",
        f"{PSQL} \"ALTER ROLE mastodon PASSWORD 'other'\" postgres",
        (LOGINS,),
        ("PostgreSQL does not let Mastodon in",),
        sample=True,
    ),
    Drift(
        "Mastodon may no longer log in to PostgreSQL",
        f"{PSQL} 'ALTER ROLE mastodon NOLOGIN' postgres",
        (LOGINS,),
        ("PostgreSQL does not let Mastodon in",),
    ),
    Drift(
        "the password of Redis changed inside Redis",
        'docker exec $(c mstdn redis) sh -c \'REDISCLI_AUTH="$(cut -d " " -f 2 /run/secrets/redis.conf)"'
        " redis-cli config set requirepass other'",
        (APP,),
        ("redis does not let Mastodon in",),
        touched=("mstdn/redis",),
    ),
    Drift(
        "the database's directory emptied",
        f"mv {M}/database {M}/kept && install -d -m 0700 -o 999 -g 999 {M}/database",
        refused=(f"{M}/database", "holds no database", "backup"),
        undo=f"rmdir {M}/database && mv {M}/kept {M}/database",
    ),
    Drift("installed.env lost", f"rm {M}/state/installed.env", (DATABASE,), ("installed.env",)),
    Drift(
        "installed.env says another domain",
        f"cp -a {M}/state/installed.env /root/kept; sed -i 's/^LOCAL_DOMAIN=.*/LOCAL_DOMAIN=other.example.org/' "
        f"{M}/state/installed.env",
        refused=("other.example.org", "never"),
        undo=f"mv /root/kept {M}/state/installed.env",
    ),
    Drift(
        "installed.env says nonsense",
        f"cp -a {M}/state/installed.env /root/kept; sed -i 's/^MASTODON_VERSION=.*/MASTODON_VERSION=nonsense/' "
        f"{M}/state/installed.env",
        refused=("nonsense", "state/installed.env"),
        undo=f"mv /root/kept {M}/state/installed.env",
    ),
)

# A certificate of somebody's own for the site, in the place of the present one and in force: NAMES, DAYS.
_OTHER = (
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj /CN=lab -addext "
    "subjectAltName=DNS:{name}"
    f" {{dates}} -keyout {CERTS}/{DOMAIN}/key.pem -out {CERTS}/{DOMAIN}/fullchain.pem 2>/dev/null;"
    f" docker kill --signal HUP $(c proxy nginx)"
)
_DAY = "$(date --utc --date='{} days' +%Y%m%d%H%M%SZ)"
_LATE = f"-not_before {_DAY.format('-80')} -not_after {_DAY.format('+10')}"
# acme-companion looks after everything by itself for a while after it started, and a run leaves it to that for as long
# after any of those who take part did.
_IDLE = (
    "until [ $(($(date +%s) - $(date -d $(docker inspect --format '{{.State.StartedAt}}' $(c proxy acme-companion)"
    " $(c proxy nginx) $(c proxy docker-gen) $(c mstdn nginx) | sort | tail -n 1) +%s))) -gt 45 ];"
    " do sleep 1; done; "
)
_SERVED = (
    f"openssl s_client -connect 127.0.0.1:443 -servername {DOMAIN} </dev/null 2>/dev/null |"
    f" openssl x509 -noout -checkend 1728000 -checkhost {DOMAIN}"
)


def _certificate(name: str, make: str, words: str, anew: tuple[str, ...] = (), sample: bool = False) -> Drift:
    return Drift(name, _IDLE + make, (CERTIFICATES,), (words,), _SERVED, anew=anew, sample=sample)


ISSUED = (f"{CERTS}/{DOMAIN}", f"{P}/acme")
RSA = KEPT.removesuffix("_ecc")
CERTIFICATE_FILES = (
    _certificate(
        "certificate links removed",
        f"find {CERTS} -maxdepth 1 -type l -delete; docker kill --signal HUP $(c proxy docker-gen)",
        f"{DOMAIN}: nothing leads to its certificate",
        sample=True,
    ),
    _certificate(
        "all certificates, keys and links removed",
        f"find {CERTS} -mindepth 1 -not -name dhparam.pem -delete; docker kill --signal HUP $(c proxy docker-gen)",
        f"{DOMAIN}: its certificate is gone",
        (CERTS,),
    ),
    _certificate(
        "certificate and the client's records both gone",
        f"find {CERTS} -mindepth 1 -not -name dhparam.pem -delete; rm -rf {KEPT}*;"
        " docker kill --signal HUP $(c proxy docker-gen)",
        f"{DOMAIN}: its certificate is gone",
        (CERTS, *ISSUED),
    ),
    Drift(
        "the client also keeps an older certificate, of the time of RSA keys",
        f"mkdir {RSA} && openssl req -x509 -newkey rsa:2048 -noenc -subj /CN=lab"
        f" -not_before 20260101000000Z -not_after 20260401000000Z -addext subjectAltName=DNS:{DOMAIN}"
        f" -keyout {RSA}/{DOMAIN}.key -out {RSA}/fullchain.cer 2>/dev/null",
        mended=f"rm -r {RSA} && {_SERVED}",
    ),
    _certificate(
        "the certificate's file emptied",
        f": >{CERTS}/{DOMAIN}/fullchain.pem",
        f"{DOMAIN}: its certificate cannot be read",
    ),
    _certificate(
        "the certificate's key is another one",
        f"openssl genrsa -out {CERTS}/{DOMAIN}/key.pem 2048 2>/dev/null",
        f"{DOMAIN}: its key is not the certificate's",
    ),
    _certificate(
        "ten days left of the certificate, and the client has no other",
        _OTHER.format(name=DOMAIN, dates=_LATE)
        + f"; cp {CERTS}/{DOMAIN}/fullchain.pem {KEPT}/fullchain.cer; cp {CERTS}/{DOMAIN}/key.pem {KEPT}/{DOMAIN}.key",
        f"{DOMAIN}: its certificate ends in 9 days",
        ISSUED,
    ),
    _certificate(
        "ten days left of the certificate, and the client has a better one",
        _OTHER.format(name=DOMAIN, dates=_LATE),
        f"{DOMAIN}: its certificate ends in 9 days",
    ),
    _certificate(
        "a certificate that nobody trusts in its place",
        _OTHER.format(name=DOMAIN, dates="-days 90"),
        f"{DOMAIN}: its certificate is not the one that the authority's client keeps",
    ),
    _certificate(
        "the certificate expired",
        _OTHER.format(name=DOMAIN, dates="-not_before 20260101000000Z -not_after 20260301000000Z"),
        f"{DOMAIN}: its certificate ended",
    ),
    _certificate(
        "the certificate of another name",
        _OTHER.format(name="other.example.org", dates="-days 90"),
        f"{DOMAIN}: its certificate is for other.example.org",
    ),
    _certificate(
        "nginx serves a certificate that is no longer there",
        f"cp -a {CERTS}/{DOMAIN} /root/kept-certificate; "
        + _OTHER.format(name=DOMAIN, dates="-days 90")
        + f"; sleep 1; rm -rf {CERTS}/{DOMAIN}; mv /root/kept-certificate {CERTS}/{DOMAIN}",
        f"{DOMAIN}: nginx serves another certificate",
    ),
    _certificate("conf.d/default.conf gone", f"rm {P}/conf.d/default.conf", "conf.d/default.conf is gone", sample=True),
    _certificate(
        "conf.d/default.conf empty",
        f": >{P}/conf.d/default.conf; docker kill --signal HUP $(c proxy nginx)",
        "conf.d/default.conf is empty",
    ),
    _certificate(
        "conf.d/default.conf full of rubbish",
        f"echo rubbish >>{P}/conf.d/default.conf",
        "nginx would not start with conf.d/default.conf",
    ),
)

ENGINE = (
    Drift(
        "Docker stopped",
        "systemctl stop docker.socket docker.service",
        (DAEMON,),
        ("Docker does not run",),
        "systemctl is-active docker.service docker.socket",
        touched=("proxy/socket-proxy",),
    ),
    Drift(
        "Docker not started at boot",
        "systemctl disable docker.service 2>/dev/null; systemctl show --property MainPID docker.service >/root/pid",
        (DAEMON,),
        ("docker.service does not start at boot",),
        "systemctl is-enabled docker.service && systemctl show --property MainPID docker.service | cmp - /root/pid",
    ),
    Drift(
        "Docker and its socket restarted, as an upgrade of the package does",
        # mstdn-socket.service follows.
        "before=$(started proxy socket-proxy); systemctl restart docker.socket docker.service;"
        ' until [ "$(started proxy socket-proxy)" != "$before" ]; do sleep 0.2; done',
        touched=("proxy/socket-proxy",),
        sample=True,
    ),
    Drift(
        "Docker and its socket restarted, and the unit that follows was disabled",
        "systemctl disable mstdn-socket.service; systemctl restart docker.socket docker.service",
        (PROXY, TIMERS),
        ("socket-proxy holds ", "docker.sock, which is no longer there", "mstdn-socket.service is not enabled"),
        "systemctl is-enabled mstdn-socket.service",
        touched=("proxy/socket-proxy",),
    ),
    Drift(
        "Docker restarted, and the run begins while containers count as starting", "systemctl restart docker.service"
    ),
    Drift("containerd restarted", "systemctl restart containerd.service; until docker ps; do sleep 0.2; done"),
    Drift(
        "daemon.json edited",
        "echo '{}' >/etc/docker/daemon.json",
        (DAEMON,),
        ("/etc/docker/daemon.json",),
        "[ $(docker info --format '{{.LiveRestoreEnabled}}') = true ]",
    ),
    Drift(
        "daemon.json deleted, and the daemon restarted without it",
        "rm /etc/docker/daemon.json; systemctl reload docker.service",
        (DAEMON,),
        ("/etc/docker/daemon.json",),
        "[ $(docker info --format '{{.LiveRestoreEnabled}}') = true ]",
    ),
    Drift(
        "daemon.json touched after the daemon's start",
        "sleep 1; touch /etc/docker/daemon.json",
        (DAEMON,),
        ("older than /etc/docker/daemon.json",),
    ),
    Drift(
        "all filter rules flushed",
        "iptables -F && iptables -P FORWARD ACCEPT",
        (WAYS,),
        ("mstdn_outbound", "front"),
        "iptables -S FORWARD | grep -q 'j DOCKER-'",
    ),
    Drift(
        "all filter rules flushed, and forwarding forbidden",
        "iptables -F && iptables -P FORWARD DROP",
        (WAYS,),
        ("mstdn_outbound", "front"),
        "iptables -P FORWARD ACCEPT; iptables -S FORWARD | grep -q 'j DOCKER-'",
    ),
    Drift(
        "all translation rules flushed",
        "iptables -t nat -F",
        (WAYS,),
        ("mstdn_outbound", "proxy_outbound", "front"),
        "iptables -t nat -S | grep -q MASQUERADE",
        sample=True,
    ),
    Drift(
        "the rules that lead visitors to the proxy flushed, so that all of them have one address",
        "iptables -t nat -F DOCKER",
        (WAYS,),
        ("with one address",),
        "iptables -t nat -S DOCKER | grep -q 'dport 443 -j DNAT'",
    ),
    Drift(
        "what leads to the rules for visitors flushed",
        "iptables -t nat -F PREROUTING",
        (WAYS,),
        ("with one address",),
        "iptables -t nat -S PREROUTING | grep -q 'j DOCKER'",
    ),
    Drift(
        "the whole rule set flushed, as /etc/nftables.conf does",
        "iptables-save >/dev/null; for table in filter nat; do iptables -t $table -F; iptables -t $table -X; done",
        (WAYS,),
        ("mstdn_outbound", "front"),
        "iptables -t nat -S | grep -q MASQUERADE",
    ),
    Drift(
        "one network's translation rule deleted",
        'iptables -t nat -D POSTROUTING $(iptables -t nat -S POSTROUTING | grep "br-$(docker network inspect '
        "--format '{{.Id}}' mstdn_outbound | cut -c 1-12)\" | cut -d ' ' -f 3-)",
        (WAYS,),
        ("mstdn_outbound",),
    ),
    Drift(
        "forwarding switched off in the kernel",
        "echo 0 >/proc/sys/net/ipv4/ip_forward",
        (WAYS,),
        ("net.ipv4.ip_forward",),
        "[ $(cat /proc/sys/net/ipv4/ip_forward) = 1 ]",
    ),
    Drift(
        "a stranger in the group docker",
        "useradd --no-create-home stranger; gpasswd --add stranger docker",
        (GROUP,),
        ("stranger",),
        "userdel stranger",
    ),
    Drift(
        "a name of an image removed",
        "docker image rm --force $(image mstdn redis)",
        (IMAGES,),
        ("redis:",),
    ),
    Drift(
        "an image tagged over",
        "docker tag $(image mstdn redis) kept:1 && docker tag $(image mstdn nginx) $(image mstdn redis)",
        refused=("redis:", "is not the image that was recorded"),
        undo="docker tag kept:1 $(image mstdn redis) && docker image rm kept:1",
    ),
    Drift("the note of the images' content lost", f"rm {M}/state/images", (IMAGES,), ("is not noted",)),
)

UNIT = "/etc/systemd/system/mstdn-firewall.service"
RULES = "/etc/mstdn/firewall.nft"
FIREWALLS = (
    Drift(
        "the firewall's table deleted",
        "nft delete table inet mstdn",
        (FIREWALL,),
        ("the table inet mstdn is not in force",),
        sample=True,
    ),
    Drift(
        "a port opened in the firewall by hand",
        "nft insert rule inet mstdn outside tcp dport 9999 accept",
        (FIREWALL,),
        ("the table inet mstdn is not as it was loaded",),
        "! nft list table inet mstdn | grep -q 9999",
        sample=True,
    ),
    Drift(
        "a rule of the firewall deleted",
        "nft --handle list chain inet mstdn outside | sed -n 's/.*tcp reset # handle //p' | xargs nft delete rule inet"
        " mstdn outside handle",
        (FIREWALL,),
        ("the table inet mstdn is not as it was loaded",),
        "nft list chain inet mstdn outside | grep -q 'tcp reset'",
    ),
    Drift("the firewall's file edited", f"echo >>{RULES}", (FIREWALL,), (f"{RULES} has another content",)),
    Drift("the firewall's file deleted", f"rm {RULES}", (FIREWALL,), (f"{RULES} does not exist",)),
    Drift("the firewall's unit edited", f"echo '#' >>{UNIT}", (FIREWALL,), (f"{UNIT} has another content",)),
    Drift(
        "the firewall's unit disabled",
        "systemctl disable --quiet mstdn-firewall",
        (FIREWALL,),
        ("does not start at boot",),
        "systemctl is-enabled --quiet mstdn-firewall",
    ),
    Drift(
        "the firewall's unit stopped",
        "systemctl stop mstdn-firewall",
        (FIREWALL,),
        ("the table inet mstdn is not in force",),
        "systemctl is-active --quiet mstdn-firewall",
    ),
    Drift(
        "the firewall's unit masked",
        f"rm {UNIT} && systemctl mask --quiet mstdn-firewall",
        (FIREWALL,),
        (f"{UNIT} does not exist or is masked",),
        "systemctl is-enabled --quiet mstdn-firewall",
    ),
    Drift(
        "the note of what the kernel made of the firewall lost",
        "rm /var/lib/mstdn/firewall",
        (FIREWALL,),
        ("the table inet mstdn is not as it was loaded",),
    ),
)

MACHINE = (
    Drift("swap switched off", "swapoff -a", (SWAP,), ("is not in use",)),
    Drift("the swap file deleted", "swapoff -a; rm /swap.d/*", (SWAP,), ("does not exist",)),
    Drift("the swap file open to all", "chmod 0644 /swap.d/*", (SWAP,), ("mode 0644",)),
    Drift("the swap file's line gone from fstab", "sed -i '/swap/d' /etc/fstab", (SWAP,), ("/etc/fstab",)),
    Drift(
        "the file that keeps swappiness deleted",
        "rm /etc/sysctl.d/60-mastodon-swap.conf",
        (SWAP,),
        ("/etc/sysctl.d/60-mastodon-swap.conf",),
    ),
    Drift(
        "the key of Docker's repository replaced",
        "cat $(ls /usr/share/keyrings/debian-archive-*.[gp]* | head -n 1) >/etc/apt/keyrings/docker.asc",
        (KEY,),
        ("/etc/apt/keyrings/docker.asc",),
    ),
    Drift(
        "the key of Docker's repository deleted",
        "rm /etc/apt/keyrings/docker.asc",
        (KEY,),
        ("/etc/apt/keyrings/docker.asc",),
    ),
    Drift(
        "Docker's repository edited",
        "sed -i s/stable/test/ /etc/apt/sources.list.d/docker.sources",
        (KEY,),
        ("/etc/apt/sources.list.d/docker.sources",),
    ),
    Drift(
        "a second source of Docker's repository",
        "echo 'deb [signed-by=/etc/apt/keyrings/other.asc] https://download.docker.com/linux/debian trixie "
        "stable' >/etc/apt/sources.list.d/docker.list",
        (KEY,),
        ("/etc/apt/sources.list.d/docker.list",),
    ),
    Drift(
        "a package of Docker's removed",
        "dpkg --remove --force-depends docker-buildx-plugin >/dev/null 2>&1",
        (PACKAGES,),
        ("docker-buildx-plugin",),
        "docker buildx version",
    ),
    Drift(
        "the DNS does not answer",
        "cp /etc/resolv.conf /root/kept; echo nameserver 127.0.0.1 >/etc/resolv.conf",
        refused=(DOMAIN, "has no address in the DNS"),
        undo="cat /root/kept >/etc/resolv.conf",
    ),
)

RELEASE = (
    Drift(
        "the checkout modified by the operator, which is his right",
        f"echo mine >>{M}/source/README.md",
        mended=f"git -C {M}/source checkout --quiet -- README.md",
    ),
    Drift("the checkout removed", f"rm -rf {M}/source", (CHECKOUT,), (f"{M}/source",), f"[ -d {M}/source/.git ]"),
    Drift(
        "the checkout at a commit of somebody's own",
        f"cd {M}/source && git -c user.name=o -c user.email=o@example.org commit --quiet --allow-empty --message mine",
        refused=(f"{M}/source", "commit of its own"),
        undo=f"git -C {M}/source checkout --quiet --detach $(git -C {M}/source tag --list 'v*' | tail -n 1)",
    ),
    Drift("the link to the release's assets removed", f"rm {M}/assets/current", (ASSETS,), (f"{M}/assets",)),
    Drift("the link to the assets before removed", f"rm {M}/assets/previous", (ASSETS,), (f"{M}/assets",)),
    Drift(
        "the assets' directory emptied",
        f"rm -rf {M}/assets/*",
        (ASSETS,),
        (f"{M}/assets",),
        anew=(f"{M}/assets/previous",),
    ),
)

# Those of a server with backups are in test_15_backup.py.
PROGRAMS = (
    Drift(
        "a unit of the suite that nothing wants any more",
        "printf '# Written by the suite\\n[Timer]\\nOnCalendar=daily\\n' >/etc/systemd/system/mstdn-old.timer",
        (TIMERS,),
        ("/etc/systemd/system/mstdn-old.timer is no longer wanted",),
        "[ ! -e /etc/systemd/system/mstdn-old.timer ]",
    ),
    Drift(
        "a program of the suite that nothing wants any more",
        "touch /usr/local/lib/mstdn/backup",
        (TIMERS,),
        ("/usr/local/lib/mstdn/backup does not belong there",),
        "[ ! -e /usr/local/lib/mstdn/backup ]",
    ),
)

DRIFTS = (
    *CONTAINERS,
    *CONNECTIONS,
    *PROJECT_FILES,
    *SECRET_FILES,
    *STORES,
    *CERTIFICATE_FILES,
    *ENGINE,
    *FIREWALLS,
    *MACHINE,
    *RELEASE,
    *PROGRAMS,
)
