"""How visitors are led from one container to another, with a stand-in for docker and nginx's own processes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from mstdn.render import static
from tests.harness import calls_in, run_script, stand_in

UPSTREAMS = static("app/upstreams.conf")
# The last lines of the script.
END = '    mv -fT "$kept" "$upstreams"\n    inner_ones_read_anew\n}\n'


def lead(directory: Path, *steps: str, runs: bool = True, accepts: bool = True) -> subprocess.CompletedProcess[str]:
    """Carry out these calls of the script's functions, in a project whose nginx runs."""
    (directory / "nginx").mkdir(exist_ok=True)
    file = directory / "nginx" / "upstreams.conf"
    if not file.exists():
        file.write_text(UPSTREAMS)
        os.utime(file, (1000, 1000))
    docker = f"""case "$*" in
    "compose ps --quiet nginx") {"echo 0a" if runs else ":"} ;;
    *"nginx -t"*) exit {0 if accepts else 1} ;;
    inspect*) echo {os.getpid()} ;;
    esac"""
    stand_in(directory, "sleep")
    # No worker is ever seen, so that it is not waited for longer than this once.
    children = directory / "children"
    children.write_text("")
    return run_script(
        "app/move",
        path=stand_in(directory, "docker", docker),
        instead={
            "# Goes before": f"cd {directory}\n# Goes before",
            '"/proc/$1/task/$1/children"': f'"{children}"',
            "tries=100": "tries=2",
            # They follow the script, as compose/roll does.
            END: END + "\n".join(steps),
        },
    )


def upstreams(directory: Path) -> list[str]:
    return [line for line in (directory / "nginx/upstreams.conf").read_text().splitlines() if not line.startswith("#")]


def test_visitors_of_one_service_are_led_to_one_container(tmp_path: Path) -> None:
    assert lead(tmp_path, "move web mstdn-web-7").returncode == 0
    assert upstreams(tmp_path) == ["set $web mstdn-web-7.back-mstdn:3000;", "set $streaming streaming.back-mstdn:4000;"]
    assert calls_in(tmp_path)[2:3] == ["docker exec 0a nginx -t -q -c /etc/nginx/mstdn/nginx.conf"]
    assert "docker kill --signal HUP 0a" in calls_in(tmp_path)


def test_the_way_back_leaves_the_file_as_it_was_with_its_time(tmp_path: Path) -> None:
    steps = ["move web mstdn-web-7", "move streaming mstdn-streaming-2", "move_back"]
    assert lead(tmp_path, *steps).returncode == 0
    file = tmp_path / "nginx/upstreams.conf"
    assert file.read_text() == UPSTREAMS and file.stat().st_mtime == 1000
    assert [each.name for each in file.parent.iterdir()] == ["upstreams.conf"]
    assert calls_in(tmp_path).count("docker kill --signal HUP 0a") == 3


def test_what_a_killed_run_kept_is_what_is_put_back(tmp_path: Path) -> None:
    lead(tmp_path, "move web mstdn-web-7")
    lead(tmp_path, "move web mstdn-web-8", "move_back")
    assert (tmp_path / "nginx/upstreams.conf").read_text() == UPSTREAMS


@pytest.mark.parametrize("step", ["move web mstdn-web-7", "move_back"])
def test_where_nginx_does_not_run_nobody_is_led(tmp_path: Path, step: str) -> None:
    assert lead(tmp_path, step, runs=False).returncode == 0
    assert (tmp_path / "nginx/upstreams.conf").read_text() == UPSTREAMS
    assert not any("kill" in call for call in calls_in(tmp_path))


def test_a_configuration_that_nginx_refuses_is_a_failure_and_is_not_read(tmp_path: Path) -> None:
    assert lead(tmp_path, "move web mstdn-web-7", accepts=False).returncode != 0
    assert not any("kill" in call for call in calls_in(tmp_path))


# --- When nginx itself makes room ---------------------------------------------------------------

# What docker-gen writes while there are two.
LIST = """upstream social.example.org {
    # Container: mstdn-nginx-1
    server 172.18.0.5:9090;
    # Container: mstdn-nginx-2
    server 172.18.0.50:9090;
    keepalive 4;
}
upstream alias.example.org {
    # Only the old one answers for it.
    server 172.18.0.5:9090;
}
server {
    server_name social.example.org;
}
"""


def lead_the_proxy(
    directory: Path, written: str, *, rewrites: int = 0, accepts: bool = True, hears: bool = True, to: str = "2"
) -> subprocess.CompletedProcess[str]:
    """
    Lead the proxy to the second of two nginx. rewrites: how many times docker-gen writes both once more, after the
    proxy has read the list.
    """
    (directory / "default.conf").write_text(written)
    (directory / "both").write_text(LIST)
    (directory / "rewrites").write_text("x" * rewrites)
    docker = f"""cd {directory}
    case "$*" in
    "ps "*project=proxy*) echo 0c ;;
    "compose ps --quiet nginx") echo 0a; echo 0b ;;
    inspect*/etc/nginx/conf.d*0c) echo {directory} ;;
    inspect*NetworkSettings*0a) echo 172.18.0.5 ;;
    inspect*NetworkSettings*0b | inspect*NetworkSettings*mstdn-nginx-2) echo 172.18.0.50 ;;
    inspect*NetworkSettings*) ;;
    inspect*) echo {os.getpid()} ;;
    *"nginx -t"*) exit {0 if accepts else 1} ;;
    "kill --signal HUP 0c")
        {"" if hears else "exit 1"}
        read -r left <rewrites || true
        [ -z "$left" ] || {{ cat both >default.conf; printf '%s' "${{left#x}}" >rewrites; }} ;;
    esac"""
    stand_in(directory, "sleep")
    (directory / "children").write_text("")
    return run_script(
        "app/move",
        path=stand_in(directory, "docker", docker),
        instead={
            '"/proc/$1/task/$1/children"': f'"{directory}/children"',
            "tries=100": "tries=2",
            END: f"{END}move nginx mstdn-nginx-{to}\n",
        },
    )


def servers(directory: Path) -> list[str]:
    return [line.strip() for line in (directory / "default.conf").read_text().splitlines() if "server 172" in line]


@pytest.mark.parametrize("rewrites", [0, 1, 2])
def test_the_proxy_asks_the_new_nginx_only_before_the_old_one_stops(tmp_path: Path, rewrites: int) -> None:
    answer = lead_the_proxy(tmp_path, LIST, rewrites=rewrites)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert servers(tmp_path) == [
        "server 172.18.0.5:9090 down;",
        "server 172.18.0.50:9090;",
        "server 172.18.0.5:9090 down;",
    ]
    # A name without any server would be refused.
    assert (tmp_path / "default.conf").read_text() == LIST.replace("0.5:9090;", "0.5:9090 down;")
    calls = calls_in(tmp_path)
    assert calls.count("docker kill --signal HUP 0c") == rewrites + 1
    assert "docker exec 0c nginx -t -q -c /etc/nginx/nginx.conf" in calls


def test_as_long_as_the_proxy_does_not_know_the_new_nginx_the_old_one_stays(tmp_path: Path) -> None:
    only_the_old = LIST.replace("    server 172.18.0.50:9090;\n", "")
    answer = lead_the_proxy(tmp_path, only_the_old)
    assert answer.returncode == 1 and "docker-gen has not told the proxy" in answer.stderr
    assert (tmp_path / "default.conf").read_text() == only_the_old
    assert not any("kill" in call for call in calls_in(tmp_path))


def test_nobody_waits_for_the_proxy_to_ask_one_that_is_on_no_network_of_its(tmp_path: Path) -> None:
    written = LIST.replace("172.18.0.5:9090;", "127.0.0.1 down;")
    # Before the new one starts, visitors are to stay with the old one.
    answer = lead_the_proxy(tmp_path, written, to="off-the-network")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert (tmp_path / "default.conf").read_text() == written


def test_a_proxy_that_asks_no_other_is_left_in_peace(tmp_path: Path) -> None:
    written = LIST.replace("0.5:9090;", "0.5:9090 down;")
    assert lead_the_proxy(tmp_path, written).returncode == 0
    assert (tmp_path / "default.conf").read_text() == written
    assert not any("kill" in call for call in calls_in(tmp_path))


@pytest.mark.parametrize("what", ["accepts", "hears"])
def test_a_list_that_the_proxy_does_not_take_is_a_failure_and_is_put_back(tmp_path: Path, what: str) -> None:
    answer = lead_the_proxy(tmp_path, LIST, accepts=what != "accepts", hears=what != "hears")
    assert answer.returncode != 0
    assert (tmp_path / "default.conf").read_text() == LIST
