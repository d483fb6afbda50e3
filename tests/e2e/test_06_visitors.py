"""The site from the visitor's machine: what a browser, an app and another server see, and what an attacker tries."""

from __future__ import annotations

import json
import re
import time
from email.message import EmailMessage

import pytest

from mstdn import versions
from tests.e2e.instance import Instance, Response, throw_away_container
from tests.lab.addresses import SERVERS, VISITOR
from tests.lab.commands import wait_until


def home_page(instance: Instance) -> Response:
    page = instance.visit("/")
    assert page.status == 200, page
    return page


def asset_paths(page: Response) -> list[str]:
    paths = re.findall(r'(?:href|src)="(/packs/[^"]+)"', page.body)
    assert paths, page.body
    return paths


# --- TLS and redirects --------------------------------------------------------------------------


def test_the_site_is_served_with_a_valid_certificate(instance: Instance) -> None:
    answer = instance.visit("/api/v2/instance")
    assert answer.status == 200
    described = json.loads(answer.body)
    assert (described["domain"], described["version"]) == ("social.example.org", versions.MASTODON.removeprefix("v"))


def has_ipv6(instance: Instance) -> bool:
    """Whether the engine gave the network front IPv6; those before 27 have none to give."""
    return bool(json.loads(instance.run("docker network inspect front"))[0]["EnableIPv6"])


def test_a_visitor_by_ipv6_is_served_only_where_his_address_is_seen(instance: Instance) -> None:
    assert instance.visit("/health", "--ipv4").status == 200
    there = f"--resolve {instance.domain}:443:[{SERVERS['server'].ipv6}]"
    by_ipv6 = f"curl --silent --ipv6 {there} --output /dev/null https://{instance.domain}/health"
    served = instance.world.visitor.run(by_ipv6, check=False).returncode
    # 7: nobody listens. Through docker-proxy all of these visitors would have the address of the bridge.
    assert served == (0 if has_ipv6(instance) else 7)


@pytest.mark.parametrize(("method", "status"), [("GET", 301), ("POST", 308)])
def test_plain_http_leads_to_https_and_a_post_stays_a_post(instance: Instance, method: str, status: int) -> None:
    answer = instance.visit("/inbox?a=b", "--request", method, scheme="http")
    assert (answer.status, answer.header("Location")) == (status, "https://social.example.org/inbox?a=b")


@pytest.mark.parametrize("path", ["/", "/api/v2/instance", "/health", "/no-such-page"])
def test_there_is_exactly_one_strict_transport_security_header(instance: Instance, path: str) -> None:
    values = [value for name, value in instance.visit(path).headers if name == "strict-transport-security"]
    assert len(values) == 1 and values[0].startswith("max-age=31536000")


def test_an_unknown_host_gets_nothing_of_ours(instance: Instance) -> None:
    name, address = "unknown.example.org", SERVERS["server"].ipv4
    over_tls = f"curl --silent --insecure --resolve {name}:443:{address} https://{name}/"
    assert instance.world.visitor.run(over_tls, check=False).returncode == 35, "TLS was completed"
    over_http = (
        f"curl --silent --output /dev/null --write-out '%{{http_code}}' --resolve {name}:80:{address} http://{name}/"
    )
    assert instance.world.visitor.run(over_http).stdout == "503"


def test_the_certificate_has_a_key_with_which_visitors_cost_little(instance: Instance) -> None:
    connect = f"openssl s_client -connect {instance.domain}:443 -servername {instance.domain} </dev/null 2>/dev/null"
    assert "ASN1 OID: prime256v1" in instance.world.visitor.run(f"{connect} | openssl x509 -noout -text").stdout


def test_certificates_and_account_are_kept_outside_of_the_containers(instance: Instance) -> None:
    assert instance.succeeds("ls /srv/proxy/acme/*/ca/*/*/account.json")
    assert instance.run("stat -L -c %a /srv/proxy/certs/social.example.org.key").strip() == "600"


# --- What an attacker sends ---------------------------------------------------------------------


def test_forged_headers_do_not_reach_mastodon(instance: Instance) -> None:
    forged = {
        "X-Forwarded-For": "203.0.113.66",
        "X-Real-IP": "203.0.113.66",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Host": "evil.example.org",
        "Forwarded": "for=203.0.113.66;host=evil.example.org",
        "Proxy": "http://evil.example.org",
    }
    options = [word for name, value in forged.items() for word in ("--header", f"{name}: {value}")]
    seen = json.loads(instance.visit("/_lab/request", "--ipv4", *options).body)
    assert seen["remote_ip"] == VISITOR.ipv4
    assert seen["base_url"] == "https://social.example.org"
    assert not {"forwarded", "proxy"} & set(seen["headers"])
    # What was added on the way names each proxy once, and nothing of the visitor's.
    assert [value for value in seen["headers"].values() if "203.0.113.66" in value or "evil" in value] == []


def test_whoever_goes_round_the_load_balancer_makes_no_page_for_others(instance: Instance) -> None:
    """With a trusted proxy in front, the proxy passes on what it gets, and cannot tell who connects."""
    forged = ("--header", "X-Forwarded-Host: evil.example.org", "--header", "X-Forwarded-Port: 8443")
    instance.converge(proxy_downstream_addresses=["203.0.113.0/24"])
    try:
        answer = instance.visit("/_lab/request", "--ipv4", *forged)
        assert answer.status == 200, answer
        seen = json.loads(answer.body)
        assert seen["base_url"] == f"https://{instance.domain}"
        assert (seen["headers"]["x-forwarded-host"], seen["headers"]["x-forwarded-port"]) == (instance.domain, "443")
        assert "evil.example.org" not in answer.body
    finally:
        instance.converge()


@pytest.mark.parametrize("path", ["/metrics", "/api/v1/streaming/../../../metrics", "/api/v1/streaming/../../metrics"])
def test_figures_of_the_streaming_server_are_not_public(instance: Instance, path: str) -> None:
    assert "mastodon" not in instance.visit(path, "--path-as-is").body.lower() or instance.visit(path).status == 404


@pytest.mark.parametrize("option", ["-4", "-6"])
def test_nothing_but_ssh_http_and_https_is_open(instance: Instance, option: str) -> None:
    address = SERVERS["server"].ipv4 if option == "-4" else SERVERS["server"].ipv6
    family = [] if option == "-4" else ["-6"]
    scan = " ".join(["nmap", *family, "-Pn", "-n", "-p-", "-T5", "--min-rate", "5000", "--open", "-oG", "-", address])
    ports = re.findall(r"(\d+)/open/tcp", instance.world.visitor.run(scan).stdout)
    web = ["80", "443"] if option == "-4" or has_ipv6(instance) else []
    assert ports == ["22", *web]


# --- Assets and media ---------------------------------------------------------------------------


def test_compiled_assets_may_be_kept_for_ever(instance: Instance) -> None:
    for path in asset_paths(home_page(instance)):
        answer = instance.visit(path)
        assert answer.status == 200
        assert "immutable" in answer.header("Cache-Control")
        assert answer.header("X-Content-Type-Options") == "nosniff"


def test_assets_that_the_release_brings_compressed_are_served_so(instance: Instance) -> None:
    path = asset_paths(home_page(instance))[0]
    file = f"/srv/mastodon/assets/current{path}.gz"
    instance.run(f"echo 'compressed beforehand' | gzip >{file}")
    try:
        assert instance.visit(path, "--compressed").body == "compressed beforehand\n"
        assert "compressed beforehand" not in instance.visit(path).body
    finally:
        instance.run(f"rm {file}")


@pytest.fixture(name="alice", scope="module")
def _alice(instance: Instance) -> str:
    """Her access token."""
    return instance.token("alice")


def upload(instance: Instance, token: str, megabytes: int) -> Response:
    film = "/tmp/film.mp4"
    instance.world.visitor.run(f"printf '\\0\\0\\0\\030ftypisom' >{film} && truncate --size={megabytes}000000 {film}")
    try:
        form = ("--form", f"file=@{film};type=video/mp4")
        return instance.visit("/api/v2/media", "--header", f"Authorization: Bearer {token}", *form)
    finally:
        instance.world.visitor.run(f"rm {film}")


def test_a_film_of_90_mb_is_accepted_and_one_of_120_mb_is_not(instance: Instance, alice: str) -> None:
    assert upload(instance, alice, 90).status == 202
    assert upload(instance, alice, 120).status == 413


# The smallest image that is one.
GIF = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)


def test_uploads_are_served_as_files_that_no_browser_runs(instance: Instance, alice: str) -> None:
    form = ("--form", "file=@-;filename=a.gif;type=image/gif", "--header", f"Authorization: Bearer {alice}")
    answer = instance.visit("/api/v2/media", *form, stdin=GIF)
    assert answer.status == 200, answer
    url = json.loads(answer.body)["url"]
    assert url.startswith("https://social.example.org/system/")
    file = instance.visit(url.removeprefix("https://social.example.org"), "--head")
    assert file.status == 200
    assert file.header("Content-Type") == "image/gif"
    assert file.header("X-Content-Type-Options") == "nosniff"
    assert file.header("Content-Security-Policy") == "default-src 'none'; form-action 'none'"
    assert instance.visit("/system/").status in (403, 404)


# --- Streaming ----------------------------------------------------------------------------------

# Waits for the first update on a stream of server-sent events.
EVENTS = """
import sys, urllib.request
url, token = sys.argv[1:]
request = urllib.request.Request(url, headers={"Authorization": "Bearer " + token})
with urllib.request.urlopen(request, timeout=60) as stream:
    print("open", flush=True)
    event = ""
    for line in stream:
        name, _, value = line.decode().rstrip().partition(": ")
        if name == "event":
            event = value
        elif name == "data" and event == "update":
            print(value)
            break
"""

# The same over a WebSocket.
WEBSOCKET = """
import asyncio, json, sys, websockets
async def main(url, token):
    async with websockets.connect(url + "&access_token=" + token, open_timeout=30) as connection:
        print("open", flush=True)
        async for message in connection:
            if json.loads(message).get("event") == "update":
                print(json.loads(message)["payload"])
                return
asyncio.run(asyncio.wait_for(main(*sys.argv[1:]), 60))
"""


@pytest.mark.parametrize(
    ("program", "url"),
    [
        pytest.param(EVENTS, "https://social.example.org/api/v1/streaming/user", id="server-sent events"),
        pytest.param(WEBSOCKET, "wss://social.example.org/api/v1/streaming?stream=user", id="WebSocket"),
    ],
)
def test_posts_arrive_at_once_through_both_proxies(instance: Instance, alice: str, program: str, url: str) -> None:
    visitor = instance.world.visitor
    heard = "/tmp/heard"
    visitor.run("cat >/tmp/listen.py", stdin=program)
    visitor.run(f"timeout 60 python3 /tmp/listen.py '{url}' {alice} >{heard} 2>&1 &")
    wait_until("the stream is open", lambda: "open" in visitor.read(heard), timeout=20)

    def a_post_arrives() -> bool:
        # The server subscribes a moment after it answers, so one post may come too early.
        text = f"posted at {time.time()}"
        posted = instance.visit(
            "/api/v1/statuses", "--header", f"Authorization: Bearer {alice}", "--form", f"status={text}"
        )
        assert posted.status == 200, posted
        deadline = time.monotonic() + 2
        while text not in visitor.read(heard):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        return True

    wait_until(f"a post arrives; heard so far: {visitor.read(heard)}", a_post_arrives, timeout=20)


# --- Mail ---------------------------------------------------------------------------------------


def test_mail_reaches_people_through_the_operators_mail_server(instance: Instance) -> None:
    instance.token("bob")
    before = len(instance.world.mails("bob@example.org"))
    form = instance.visit("/auth/password/new")
    (token,) = re.findall(r'name="authenticity_token" value="([^"]+)"', form.body)
    answer = instance.visit(
        "/auth/password",
        *("--header", f"Cookie: {form.header('Set-Cookie').partition(';')[0]}"),
        *("--data-urlencode", f"authenticity_token={token}"),
        *("--data-urlencode", "user[email]=bob@example.org"),
    )
    assert answer.status == 303, answer
    wait_until("the mail arrives", lambda: len(instance.world.mails("bob@example.org")) > before, timeout=30)
    mail = instance.world.mails("bob@example.org")[-1]
    assert isinstance(mail.message, EmailMessage)
    assert mail.recipients == ("bob@example.org",)
    assert mail.sender == "mastodon@example.org"
    assert "https://social.example.org/auth/password" in str(mail.message)


def test_a_service_of_somebody_else_on_the_network_front_gets_no_visitors(instance: Instance) -> None:
    alias = "--network front --network-alias web --network-alias streaming"
    master = instance.inspect("mstdn", "nginx")["State"]["Pid"]

    def workers() -> set[str]:
        return set(instance.run(f"ps --no-headers -o pid --ppid {master}").split())

    with throw_away_container(instance, alias):
        # Workers that are new have looked up nothing yet.
        old = workers()
        instance.run(f"docker kill --signal HUP {instance.container('mstdn', 'nginx')}")
        wait_until("the old workers are gone", lambda: bool(new := workers()) and not new & old, timeout=30)
        for path in ("/health", "/api/v1/streaming/health"):
            assert instance.visit(path).status == 200


# --- The cache of public pages ------------------------------------------------------------------


def cached(answer: Response) -> str:
    """What the inner nginx says of an answer: "" where it does not look for it in its cache."""
    return answer.header("X-Cached")


def test_a_public_page_that_many_ask_for_reaches_mastodon_once(instance: Instance) -> None:
    instance.token("ada")
    asked = f"docker logs {instance.container('mstdn', 'web')} 2>&1 | grep -c 'path=/@ada '"
    address = f"https://{instance.domain}/@ada"
    instance.world.visitor.run(f"seq 60 | xargs -P 8 -I % curl -sf -o /dev/null {address}")
    assert cached(instance.visit("/@ada")) == "HIT"
    assert instance.run(asked).strip() == "1"


def test_what_is_only_for_some_is_never_kept_for_others(instance: Instance) -> None:
    alice = ("--header", f"Authorization: Bearer {instance.token('alicia')}")
    for path in ("/", "/api/v1/timelines/public", "/api/v2/instance"):
        assert cached(instance.visit(path, *alice)) in ("", "BYPASS"), path
        assert cached(instance.visit(path, "--header", "Cookie: _session_id=1")) in ("", "BYPASS"), path
    for _ in range(2):
        mine = instance.visit("/api/v1/accounts/verify_credentials", *alice)
        assert mine.status == 200 and "HIT" not in cached(mine)
    # Neither somebody else's, nor another form or language of the same address.
    assert instance.visit("/api/v1/accounts/verify_credentials").status == 401
    page = instance.visit("/@alicia", "--header", "Accept: text/html")
    actor = instance.visit("/@alicia", "--header", "Accept: application/activity+json")
    assert page.header("Content-Type") != actor.header("Content-Type")


def test_what_sets_a_cookie_or_changes_something_is_not_kept(instance: Instance) -> None:
    first, second = instance.visit("/auth/password/new"), instance.visit("/auth/password/new")
    assert cached(second) in ("", "MISS", "BYPASS")
    assert first.header("Set-Cookie") != second.header("Set-Cookie")


def test_files_whose_names_do_not_change_are_asked_for_again(instance: Instance) -> None:
    for path in ("/packs/sw.js", "/assets/500.html"):
        answer = instance.visit(path)
        assert (answer.status, answer.header("Cache-Control")) == (200, "public, max-age=604800, must-revalidate"), path


def test_a_client_ip_of_a_visitor_does_no_harm(instance: Instance) -> None:
    assert instance.visit("/api/v1/instance", "--header", "Client-Ip: 192.0.2.9").status == 200
    assert instance.visit("/auth/password/new", "--header", "Client-Ip: 192.0.2.9").status == 200


def test_more_visitors_than_nginx_has_connections_by_itself_find_room(instance: Instance) -> None:
    proxy = instance.container("proxy", "nginx")
    cpus = instance.run(f"docker inspect --format '{{{{.HostConfig.CpusetCpus}}}}' {proxy}").strip()
    instance.run(f"docker update --cpuset-cpus 0 {proxy} && docker restart {proxy}")
    try:
        said = instance.world.visitor.run(f"python3 - {instance.domain} 1100", stdin=IDLE_VISITORS).stdout.split()
        assert said == ["1100", "200"]
    finally:
        instance.run(f"docker update --cpuset-cpus '{cpus}' {proxy}")
        instance.converge()


# Opens so many TLS connections, leaves them idle, and asks once more. Prints how many there are, and the answer.
IDLE_VISITORS = """
import http.client, resource, socket, ssl, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
name, number = sys.argv[1], int(sys.argv[2])
context = ssl.create_default_context()
idle = []
try:
    for _ in range(number):
        idle.append(context.wrap_socket(socket.create_connection((name, 443), timeout=10), server_hostname=name))
    one_more = http.client.HTTPSConnection(name, timeout=10)
    one_more.request("GET", "/health")
    print(len(idle), one_more.getresponse().status)
except OSError as error:
    print(len(idle), error)
"""


# --- When Mastodon is away ----------------------------------------------------------------------


def test_while_mastodon_is_away_files_are_served_and_the_next_run_brings_it_back(instance: Instance) -> None:
    paths = asset_paths(home_page(instance))
    known = ("/", "/@ada")
    instance.visit("/@ada")
    for service in ("web", "streaming"):
        instance.run(f"docker stop --time 20 {instance.container('mstdn', service)}")
    try:
        page = instance.visit("/auth/password/new", "--max-time", "10")
        assert page.status == 503
        assert "Back in a moment" in page.body and page.header("Retry-After")
        assert [instance.visit(path).status for path in paths] == [200] * len(paths)
        # Who reads a public page that somebody has read a moment ago notices nothing.
        assert [instance.visit(path).status for path in known] == [200, 200]
        # Whatever is sent to Mastodon is answered so that the sender tries again. Other servers take a 4xx, 405 among
        # them, for a final no, and the post is lost (app/workers/activitypub/delivery_worker.rb).
        for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"):
            for path in ("/inbox", "/users/alice/inbox", "/api/v1/statuses", "/api/v1/streaming/user"):
                answer = instance.visit(path, "--request", method, "--data", "{}")
                assert (answer.status, answer.header("Retry-After")) == (503, "30"), (method, path, answer)
                assert answer.header("Cache-Control") == "no-store" and "Back in a moment" in answer.body
    finally:
        assert instance.converge().changed == ["tasks/app.py | Start Mastodon"]
    assert home_page(instance)
    # The page is for failures only.
    assert instance.visit("/mstdn-unavailable").status == 404


@pytest.mark.parametrize(("project", "service"), [("mstdn", "streaming"), ("proxy", "docker-gen")])
def test_a_container_that_somebody_removed_comes_back(instance: Instance, project: str, service: str) -> None:
    instance.run(f"docker rm --force {instance.container(project, service)}")
    assert len(instance.converge().changed) == 1
    assert instance.inspect(project, service)["State"]["Health"]["Status"] == "healthy"


def test_what_the_operator_runs_beside_is_neither_waited_for_nor_stopped(instance: Instance) -> None:
    console = instance.run(
        "docker compose --project-directory /srv/mastodon run --detach --no-deps web sleep 600"
    ).split()[-1]
    try:
        instance.run(f"docker rm --force {instance.container('mstdn', 'streaming')}")
        assert instance.converge().changed == ["tasks/app.py | Start Mastodon"]
        assert instance.run(f"docker inspect --format '{{{{.State.Status}}}}' {console}").strip() == "running"
    finally:
        instance.run(f"docker rm --force {console}")


# --- What verify and preflight say --------------------------------------------------------------


def test_verify_names_the_part_that_does_not_answer(instance: Instance) -> None:
    instance.run(f"docker stop --time 20 {instance.container('mstdn', 'streaming')}")
    try:
        refusal = instance.refusal("tasks/verify.py")
        assert "/api/v1/streaming/health" in refusal and "does the service streaming run?" in refusal
    finally:
        instance.converge()
    assert instance.converge("tasks/verify.py").changed == []


def test_verify_names_a_port_that_another_container_opens_to_the_internet(instance: Instance) -> None:
    # The firewall would keep it shut.
    instance.converge("tasks/firewall.py", firewall_enabled=False)
    try:
        with throw_away_container(instance, "--publish 0.0.0.0:8025:80 --name mail", command=""):
            refusal = instance.refusal("tasks/verify.py")
            assert instance.converge("tasks/verify.py", verify_open_ports=[8025]).changed == []
    finally:
        instance.converge("tasks/firewall.py")
    assert "8025 (mail)" in refusal and "127.0.0.1 only" in refusal


def test_preflight_refuses_a_postgresql_or_redis_that_cannot_read_the_data(instance: Instance) -> None:
    started = instance.started()
    made_by = instance.run("cat /srv/mastodon/database/PG_VERSION").strip()
    refusal = instance.refusal(postgres_image="postgres:18-trixie")
    assert f"was made by PostgreSQL {made_by}" in refusal and f"postgres:{made_by}-trixie" in refusal
    assert "Nothing was changed" in refusal
    refusal = instance.refusal(redis_image="redis:7.0-alpine")
    assert "cannot read them" in refusal and "Nothing was changed" in refusal
    assert instance.started() == started
    assert instance.converge().changed == []


def test_preflight_refuses_a_proxy_of_the_old_guides(instance: Instance) -> None:
    instance.run(f"docker tag {versions.NGINX_IMAGE} jwilder/nginx-proxy:latest")
    try:
        with throw_away_container(instance, "--name old-proxy", image="jwilder/nginx-proxy:latest"):
            refusal = instance.refusal()
        assert "jwilder/nginx-proxy" in refusal and "docker rm --force old-proxy" in refusal
    finally:
        instance.run("docker rmi jwilder/nginx-proxy:latest")
    assert instance.converge().changed == []
