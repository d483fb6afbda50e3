"""What is said of the mail server and of the way out, from what curl met."""

from __future__ import annotations

import pytest

from mstdn.mail.facts import GoingOut, WayOut
from mstdn.mail.way_out import mail_warning, outside_problem, outside_warning
from tests.harness import answer_of, calls_in, listing, read, stand_in

SERVER = "mail.example.net"


def test_a_server_that_lets_mastodon_in_is_no_matter_and_neither_is_one_that_nobody_could_ask() -> None:
    assert mail_warning(GoingOut(0, "", 0), SERVER, 587) is None
    assert mail_warning(GoingOut(), SERVER, 587) is None
    assert outside_problem(GoingOut(0, "", 0)) is outside_problem(GoingOut()) is None


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (6, 'smtp_server = "mail.example.net" spelt right?'),
        (7, "block port 587: try 2525 or 465"),
        (28, "block port 587: try 2525 or 465"),
        (35, "port 465 wants smtp_tls = True"),
        (64, "offers no STARTTLS"),
        (67, "Are smtp_login and SMTP_PASSWORD (secrets.env) right?"),
        (60, "certificate is not trusted"),
        (51, "certificate is for another name"),
        (99, "Look at smtp_server, smtp_port, smtp_tls and smtp_starttls."),
    ],
)
def test_every_way_to_fail_comes_with_the_servers_words_and_the_usual_reason(code: int, words: str) -> None:
    said = mail_warning(GoingOut(code, "535 5.7.8 no", 0), SERVER, 587)
    assert said is not None and words in said
    assert "mail.example.net, port 587" in said and 'It says: "535 5.7.8 no".' in said


def test_a_port_that_is_blocked_is_not_offered_as_the_remedy() -> None:
    said = mail_warning(GoingOut(28), SERVER, 465)
    assert said is not None and "try 2525 or 587" in said


@pytest.mark.parametrize(
    ("mail", "outside", "whether"),
    [(28, 7, True), (7, 28, True), (6, 6, True), (None, 28, True), (0, 28, False), (67, 28, False), (28, 0, False)],
)
def test_nothing_gets_out_only_if_neither_the_mail_server_nor_anybody_else_is_reached(
    mail: int | None, outside: int, whether: bool
) -> None:
    said = outside_problem(GoingOut(mail, "", outside))
    assert (said is not None) is whether
    assert said is None or "DOCKER-USER" in said


@pytest.mark.parametrize(
    ("mail", "outside", "words"),
    [
        (0, 28, "is not reached"),
        (67, 7, "is not reached"),
        (0, 35, "breaks off (curl: 35)"),
        (28, 35, "breaks off (curl: 35)"),
        (28, 7, ""),
        (28, 0, ""),
        (0, 0, ""),
        (None, None, ""),
    ],
)
def test_a_way_out_that_leads_to_the_mail_server_only_is_a_warning(
    mail: int | None, outside: int | None, words: str
) -> None:
    """A relay in the provider's own network is reached where nobody else is."""
    caution = outside_warning(GoingOut(mail, "", outside), "https://acme.example.org/directory")
    assert (caution is not None) is bool(words)
    assert caution is None or (words in caution and "https://acme.example.org/directory" in caution)


def test_what_the_script_prints_is_read() -> None:
    output = "said 535 5.7.8 Authentication credentials invalid\nsaid Login denied\nmail 67\noutside 0\n"
    assert read(WayOut, output) == GoingOut(67, "535 5.7.8 Authentication credentials invalid", 0)
    assert read(WayOut, "") == GoingOut()


# --- The script, with a curl that tells what it was given ------------------------------------------

WORDS = "* TLS\n> AUTH PLAIN\n> AG1hc3RvZG9u\n< 535 5.7.8 no\ncurl: (67) Login denied"


@pytest.fixture(name="inside")
def _inside(tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    """The script's answer where web runs with these settings, the calls of curl, and what curl read."""
    directory = tmp_path_factory.mktemp("inside")

    def ask(settings: str, secrets: str) -> tuple[GoingOut, list[str], str]:
        (directory / "secrets").write_text(secrets)
        stand_in(directory, "systemctl", "echo loaded; echo active")
        given, proxy = directory / "given", directory / "proxy"
        logs_in = f'cat /dev/fd/3 >{given}; printf "{WORDS}\\n" >&2; exit 67'
        visits = f'echo "${{https_proxy-}}" >{proxy}'
        stand_in(directory, "curl", f'case "$*" in *--config*) {logs_in} ;; *) {visits} ;; esac')
        docker = f'case $1 in ps) {listing(a="mstdn/web")} ;; exec) shift; {settings} exec "$@" ;; esac'
        where = {"/opt/mastodon/.env.production": directory / "secrets"}
        path = stand_in(directory, "docker", docker.replace('exec "$@"', 'shift; exec "$@"'))
        found = answer_of(WayOut.of("mstdn", "https://acme.example.org/"), path=path, instead=where)
        return found, [call for call in calls_in(directory) if call.startswith("curl")], given.read_text()

    ask.proxy = lambda: (directory / "proxy").read_text().strip()  # type: ignore[attr-defined]
    return ask


COMMON = "export SMTP_SERVER=mail.example.net SMTP_PORT=587 SMTP_LOGIN=alice SMTP_AUTH_METHOD=plain;"


def test_the_password_is_in_no_argument_and_in_no_answer(inside) -> None:  # type: ignore[no-untyped-def]
    found, calls, given = inside(COMMON + "export SMTP_ENABLE_STARTTLS=always;", "SMTP_PASSWORD='a\"b\\c'\n")
    assert found == GoingOut(67, "535 5.7.8 no", 0)
    assert given == 'user = "alice:a\\"b\\\\c"\nlogin-options = "AUTH=PLAIN"\n'
    assert not [call for call in calls if 'a"b' in call or "alice" in call]
    (mail,) = (call for call in calls if "--config" in call)
    assert "--ssl-reqd" in mail and mail.endswith("--request NOOP smtp://mail.example.net:587")


@pytest.mark.parametrize(
    ("settings", "words", "login"),
    [
        ("export SMTP_TLS=true SMTP_ENABLE_STARTTLS=never;", "smtps://mail.example.net:587", "PLAIN"),
        ("export SMTP_ENABLE_STARTTLS=auto;", "--ssl ", "PLAIN"),
        ("export SMTP_ENABLE_STARTTLS=never;", "NOOP smtp://mail.example.net:587", "PLAIN"),
        ("export SMTP_OPENSSL_VERIFY_MODE=none;", "--insecure", "PLAIN"),
        ("export SMTP_CA_FILE=/opt/mastodon/ca.pem;", "--cacert /opt/mastodon/ca.pem ", "PLAIN"),
        ("export SMTP_AUTH_METHOD=cram_md5;", "smtp://", "CRAM-MD5"),
        ("export SMTP_AUTH_METHOD=login;", "smtp://", "LOGIN"),
    ],
)
def test_the_server_is_asked_as_mastodon_would(inside, settings: str, words: str, login: str) -> None:  # type: ignore[no-untyped-def]
    _, calls, given = inside(COMMON + settings, "SMTP_PASSWORD='x'\n")
    assert [call for call in calls if "--config" in call and words in call]
    assert f'"AUTH={login}"' in given


def test_without_a_login_none_is_tried(inside) -> None:  # type: ignore[no-untyped-def]
    assert inside("export SMTP_SERVER=relay SMTP_PORT=25 SMTP_ENABLE_STARTTLS=never;", "")[2].strip() == ""


@pytest.mark.parametrize(
    ("settings", "proxy"),
    [("", ""), ("export http_proxy=http://proxy.example.net:3128;", "http://proxy.example.net:3128")],
)
def test_others_are_visited_through_the_proxy_that_mastodon_uses(inside, settings: str, proxy: str) -> None:  # type: ignore[no-untyped-def]
    inside(COMMON + settings, "")
    assert inside.proxy() == proxy
