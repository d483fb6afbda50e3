"""Containers make room for new ones while visitors ask without pause, and jobs are finished or begun anew."""

from __future__ import annotations

import json

import pytest

from tests.e2e.instance import Instance
from tests.e2e.test_08_interrupted import kill_when
from tests.e2e.visitors import visitors_without_pause
from tests.lab.commands import wait_until

# At least so many visits. An upgrade is asked three thousand times (test_09_upgrade.py).
A_WHILE = 1000


@pytest.fixture(name="dora", scope="module")
def _dora(instance: Instance) -> str:
    """Her access token."""
    return instance.token("dora")


@pytest.fixture(name="usual_seconds", scope="module")
def _usual_seconds(instance: Instance, dora: str) -> float:
    """The slowest answer while nothing happens."""
    with visitors_without_pause(instance, dora, at_least=500) as seen:
        pass
    assert seen.failed == []
    return seen.slowest


def test_a_changed_setting_reaches_mastodon_and_no_visitor_notices(
    instance: Instance, dora: str, usual_seconds: float
) -> None:
    before = instance.started()
    with visitors_without_pause(instance, dora, at_least=A_WHILE) as seen:
        run = instance.converge(default_locale="de")
    assert seen.failed == []
    assert seen.slowest <= usual_seconds + 1, seen.kinds
    after = instance.started()
    assert {name for name in before if before[name] != after[name]} == {"mstdn/web", "mstdn/sidekiq"}
    assert "a new web starts beside the old one" in run.stderr and "web: the new one was healthy after" in run.stderr
    assert instance.converge(default_locale="de").changed == []
    instance.converge()


def ids(instance: Instance, service: str) -> list[str]:
    return instance.run(f"docker ps --all --quiet --filter name=mstdn-{service}-").split()


def test_a_service_that_is_not_concerned_is_not_touched(instance: Instance, dora: str) -> None:
    before = instance.started()
    plan = instance.plan(streaming_memory_mib=300)
    assert "a new streaming server starts beside" in plan.stderr and "a new web starts beside" not in plan.stderr
    with visitors_without_pause(instance, dora) as seen:
        instance.converge(streaming_memory_mib=300)
    assert seen.failed == []
    after = instance.started()
    assert {name for name in before if before[name] != after[name]} == {"mstdn/streaming"}
    assert instance.converge(streaming_memory_mib=300).changed == []
    instance.converge()


def change_by_hand(instance: Instance, project: str, service: str) -> None:
    """Its container has to be made anew, as for a new image."""
    instance.run(f"docker update --restart=on-failure:3 {instance.inspect(project, service)['Id']}")


def proxies(instance: Instance) -> int:
    return len(instance.run("docker ps --all --quiet --filter name=proxy-nginx-").split())


@pytest.mark.parametrize(
    ("project", "foretold", "told"),
    [
        pytest.param(
            "mstdn",
            "a new inner nginx starts beside the old one",
            "nginx: the new one was healthy after",
            id="the inner one",
        ),
        pytest.param(
            "proxy",
            "another proxy takes over while the proxy is made anew",
            "another one has taken over",
            id="the proxy",
        ),
    ],
)
def test_either_nginx_is_made_anew_and_no_visitor_notices(
    instance: Instance, dora: str, usual_seconds: float, project: str, foretold: str, told: str
) -> None:
    before = instance.started()
    change_by_hand(instance, project, "nginx")
    assert foretold in instance.plan().stderr
    with visitors_without_pause(instance, dora, at_least=A_WHILE) as seen:
        run = instance.converge()
    assert seen.failed == []
    assert seen.slowest <= usual_seconds + 1, seen.kinds
    assert told in run.stderr
    after = instance.started()
    assert {name for name in before if before[name] != after[name]} == {f"{project}/nginx"}
    assert len(ids(instance, "nginx")) == proxies(instance) == 1
    assert "mstdn-handover" not in instance.run("nft list tables")
    assert instance.converge().changed == []


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param("nft list table inet mstdn-handover", id="another one has taken over"),
        pytest.param("test -s /srv/proxy/.roll.stopping", id="it stops"),
    ],
)
def test_a_handover_that_is_ended_by_hand_leaves_a_proxy_at_work(instance: Instance, moment: str) -> None:
    change_by_hand(instance, "proxy", "nginx")
    run = instance.begin()
    # The server itself looks all the time: it is over in a moment.
    instance.run(f"timeout 120 sh -c 'until {moment}; do sleep 0.01; done' 2>/dev/null && systemctl stop mstdn-deploy")
    run.communicate(timeout=120)
    assert run.returncode == 1
    assert instance.visit("/api/v2/instance").status == 200
    assert instance.run("docker ps --all --quiet --filter name=proxy-nginx-deputy") == ""
    assert "mstdn-handover" not in instance.run("nft list tables")
    instance.converge()
    assert proxies(instance) == 1 and instance.converge().changed == []


def test_a_run_that_was_killed_between_two_nginx_leaves_the_right_one_to_the_next(
    instance: Instance, dora: str
) -> None:
    change_by_hand(instance, "mstdn", "nginx")
    of_mastodon = "--filter label=com.docker.compose.project=mstdn --filter label=com.docker.compose.service=nginx"
    two = f"[ $(docker ps --quiet {of_mastodon} | wc -l) = 2 ]"
    with visitors_without_pause(instance, dora) as seen:
        run = instance.begin()
        wait_until("there are two", lambda: instance.succeeds(two), timeout=60, interval=0.1)
        instance.run("systemctl kill --signal KILL mstdn-deploy")
        run.communicate(timeout=120)
        assert run.returncode == 1
        instance.converge()
    assert seen.failed == []
    assert len(ids(instance, "nginx")) == 1 and instance.converge().changed == []


def test_a_run_that_was_killed_between_two_web_leaves_the_right_one_to_the_next(instance: Instance, dora: str) -> None:
    two = "[ $(docker ps --quiet --filter label=com.docker.compose.service=web | wc -l) = 2 ]"
    with visitors_without_pause(instance, dora) as seen:
        kill_when(instance, two, default_locale="fr")
        assert instance.succeeds(two)
        # The unit goes on without the run, unless it is killed as well.
        instance.run("systemctl kill --signal KILL mstdn-deploy", check=False)
        run = instance.converge(default_locale="fr")
        assert "mstdn/web" not in run.changed
    assert seen.failed == []
    assert len(ids(instance, "web")) == 1
    assert "DEFAULT_LOCALE=fr" in instance.inside("mstdn", "web", "env")
    assert instance.run("cat /srv/mastodon/nginx/upstreams.conf").count(".back-mstdn") == 2
    assert instance.converge(default_locale="fr").changed == []
    assert instance.converge().changed


def test_while_a_run_is_at_work_another_is_told_whose_it_is(instance: Instance) -> None:
    # That of a run that has ended may still lie there, and means nothing.
    instance.run("rm -f /run/mstdn.run")
    first = instance.begin(default_locale="nl")
    wait_until("the first run is at work", lambda: instance.succeeds("test -e /run/mstdn.run"), timeout=60)
    refusal = instance.refusal("tasks/configuration.py", default_locale="da")
    assert "Another run is at work on this server" in refusal and "deploy.py of the suite" in refusal
    output = first.communicate()
    assert first.returncode == 0, output
    # What it held it holds no longer.
    instance.converge()


def test_where_two_web_do_not_fit_the_old_one_stops_first_and_the_plan_says_so(instance: Instance, dora: str) -> None:
    small = {"web_side_by_side": False, "default_locale": "de"}
    assert "web stops before the new one starts" in instance.plan(**small).stderr
    begun = instance.run("date +%s").strip()
    with visitors_without_pause(instance, dora) as seen:
        instance.converge(**small)
    # Whoever asked meanwhile was told to come again, and got no other answer.
    assert seen.failed and [each for each in seen.failed if ": 503 after" not in each] == []
    events = instance.run(
        f"docker events --since {begun} --until $(date +%s) --filter label=com.docker.compose.service=web"
        " --filter event=die --filter event=start --format '{{.Action}}'"
    ).split()
    assert events == ["die", "start"]
    instance.converge()


def redis(instance: Instance, command: str) -> str:
    asked = f'REDISCLI_AUTH="$(cut -d " " -f 2 /run/secrets/redis.conf)" redis-cli {command}'
    return instance.inside("mstdn", "redis", asked).strip()


def begin_a_film(instance: Instance, name: str, seconds: int) -> None:
    job = {"class": "Lab::FilmWorker", "args": [name, seconds], "queue": "default", "jid": name, "retry": True}
    redis(instance, f"lpush queue:default '{json.dumps(job)}'")
    wait_until(f"{name} is begun", lambda: redis(instance, f"hget lab:films-begun {name}") == "1", timeout=20)


@pytest.mark.parametrize(
    ("seconds", "patience", "begun"),
    [pytest.param(30, 60, "1", id="is finished"), pytest.param(30, 10, "2", id="is put back")],
)
def test_a_film_that_sidekiq_converts_when_it_has_to_stop(
    instance: Instance, seconds: int, patience: int, begun: str
) -> None:
    own = {"app_stop_timeout_seconds": patience}
    instance.converge(**own)
    film = instance.run("date +%s").strip()
    begin_a_film(instance, film, seconds)
    events = instance.run("date +%s").strip()
    run = instance.converge(**own, sidekiq_memory_mib=700)
    assert "sidekiq finishes what it works on" in run.stderr
    # Never two at once: the queue "scheduler" would be worked twice. Asked at once, for Docker remembers 256 events.
    order = instance.run(
        f"docker events --since {events} --until $(date +%s) --filter label=com.docker.compose.service=sidekiq"
        " --filter event=die --filter event=start --format '{{.Action}}'"
    ).split()
    assert order == ["die", "start"]
    wait_until("it is finished", lambda: redis(instance, f"hget lab:films {film}") == "1", timeout=120)
    assert redis(instance, f"hget lab:films-begun {film}") == begun
    instance.converge()


def test_a_change_that_is_ended_by_hand_while_sidekiq_finishes_leaves_one_at_work(instance: Instance) -> None:
    film = instance.run("date +%s").strip()
    begin_a_film(instance, film, 15)
    old = ids(instance, "sidekiq")
    run = instance.begin(sidekiq_memory_mib=710)
    wait_until("it is told to stop", lambda: instance.deployment_says("sidekiq finishes what it works on"), 120, 0.2)
    instance.run("systemctl stop mstdn-deploy")
    said = run.communicate(timeout=120)
    assert run.returncode == 1 and "To go on: pyinfra inventory.py deploy.py" in said
    # The engine has come to the end of what it was told.
    wait_until("the film is finished", lambda: redis(instance, f"hget lab:films {film}") == "1", timeout=60)
    assert set(instance.run("docker ps --quiet --filter name=mstdn-sidekiq-").split()) == set(old)
    instance.converge(sidekiq_memory_mib=710)
    assert len(ids(instance, "sidekiq")) == 1 and ids(instance, "sidekiq") != old
    assert instance.converge(sidekiq_memory_mib=710).changed == []
    instance.converge()
