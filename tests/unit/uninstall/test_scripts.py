"""The scripts that remove, each on real directories or with a stand-in for Docker."""

from __future__ import annotations

from pathlib import Path

import pytest

from mstdn.uninstall.facts import FilesThere, NetworksThere
from tests.harness import answer_of, calls_in, run_script, stand_in


def tree(directory: Path, *files: str) -> None:
    for file in files:
        path = directory / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file)


def test_a_directory_goes_with_all_that_is_in_it(tmp_path: Path) -> None:
    root = tmp_path / "srv"
    tree(root, "compose.yaml", ".env", "secrets/instance.env", "media/a b/c")
    (root / "media/link").symlink_to("/nowhere")
    answer = run_script("uninstall/remove_root", root, "media", "database")
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")
    assert not root.exists()
    # Once more, and where it never was.
    assert run_script("uninstall/remove_root", root, "media").returncode == 0


def test_what_is_of_others_stays_with_the_directories_above_it(tmp_path: Path) -> None:
    root = tmp_path / "proxy"
    tree(root, "compose.yaml", "certs/ours.crt", "certs/theirs.crt", "their dir/in/it", "vhost.d/ours", "html/x")
    (root / "their dir/empty").mkdir()
    answer = run_script("uninstall/remove_root", root, stdin="certs/theirs.crt\ntheir dir")
    assert answer.returncode == 0, answer.stderr
    left = sorted(str(path.relative_to(root)) for path in root.rglob("*"))
    assert left == ["certs", "certs/theirs.crt", "their dir", "their dir/empty", "their dir/in", "their dir/in/it"]


def test_a_name_with_signs_that_match_others_keeps_only_itself(tmp_path: Path) -> None:
    root = tmp_path / "proxy"
    tree(root, "vhost.d/[a]*", "vhost.d/a", "vhost.d/[a]b")
    assert run_script("uninstall/remove_root", root, stdin="vhost.d/[a]*").returncode == 0
    assert [path.name for path in (root / "vhost.d").iterdir()] == ["[a]*"]


def test_data_on_another_disk_go_too_but_for_links_that_are_no_data(tmp_path: Path) -> None:
    root, disk = tmp_path / "srv", tmp_path / "disk"
    tree(root, "compose.yaml")
    tree(disk, "media/picture", "database/PG_VERSION", "database.before/PG_VERSION", "home/of/somebody")
    for name in ("media", "database"):
        (root / name).symlink_to(disk / name)
    (root / "patches").symlink_to(disk / "home")
    assert run_script("uninstall/remove_root", root, "media", "database").returncode == 0
    assert not root.exists()
    assert sorted(path.name for path in disk.iterdir()) == ["home"]
    assert (disk / "home/of/somebody").exists()


def test_beside_data_on_another_disk_only_what_the_suite_makes_there_goes(tmp_path: Path) -> None:
    root, disk = tmp_path / "srv", tmp_path / "disk"
    tree(root, "compose.yaml")
    names = ("database", "redis", "media", "assets", "rollback")
    for name in names:
        tree(disk, *(f"{name}{end}/file" for end in ("", ".before", ".new", ".dumps", ".old")))
        (root / name).symlink_to(disk / name)
    assert run_script("uninstall/remove_root", root, *names).returncode == 0
    gone = {"database.before", "database.new", "database.dumps", "redis.new", *names}
    all_of_them = {f"{name}{end}" for name in names for end in ("", ".before", ".new", ".dumps", ".old")}
    assert {path.name for path in disk.iterdir()} == all_of_them - gone


def test_a_root_that_is_a_link_itself_goes_with_what_it_leads_to(tmp_path: Path) -> None:
    root, disk = tmp_path / "srv", tmp_path / "disk/mastodon"
    tree(disk, "compose.yaml", "media/picture")
    root.symlink_to(disk)
    assert run_script("uninstall/remove_root", root, "media").returncode == 0
    assert not root.is_symlink() and not disk.exists()


def test_containers_go_with_their_volumes_and_those_that_went_already_are_no_fault(tmp_path: Path) -> None:
    path = stand_in(tmp_path, "docker", "case $* in *b) echo 'Error: No such container: b' >&2; exit 1 ;; esac")
    assert run_script("uninstall/remove_containers", "a", "b", path=path).returncode == 0
    assert calls_in(tmp_path) == ["docker rm --force --volumes a", "docker rm --force --volumes b"]
    path = stand_in(tmp_path, "docker", "echo 'Error: the engine is silent' >&2; exit 1")
    answer = run_script("uninstall/remove_containers", "a", path=path)
    assert answer.returncode == 1 and "the engine is silent" in answer.stderr


@pytest.mark.parametrize(
    ("there", "said"), [("true", "The network front stays: it has active endpoints"), ("false", "")]
)
def test_a_network_that_somebody_joined_is_named(tmp_path: Path, there: str, said: str) -> None:
    text = f"case $2 in rm) echo 'it has active endpoints'; exit 1 ;; inspect) {there} ;; esac"
    answer = run_script("uninstall/remove_networks", "front", path=stand_in(tmp_path, "docker", text))
    assert (answer.returncode, answer.stderr.strip()) == (0, said)


def test_what_is_there_is_seen(tmp_path: Path) -> None:
    tree(tmp_path, "proxy/certs/a.crt", "proxy/acme/me/b_ecc/key", "lib/x")
    found = answer_of(FilesThere.of(f"{tmp_path}/proxy", [f"{tmp_path}/lib", f"{tmp_path}/none"]))
    assert found.there == {f"{tmp_path}/lib"}
    assert {*found.proxy} == {
        ("certs", "d"),
        ("certs/a.crt", "f"),
        ("acme", "d"),
        ("acme/me", "d"),
        ("acme/me/b_ecc", "d"),
    }
    assert answer_of(FilesThere.of(f"{tmp_path}/none", [])).proxy == ()


def test_networks_are_seen_with_their_projects(tmp_path: Path) -> None:
    stand_in(tmp_path, "systemctl", "echo loaded; echo active")
    path = stand_in(tmp_path, "docker", "echo network front -; echo network proxy_control proxy")
    assert answer_of(NetworksThere.all(), path=path) == {"front": "-", "proxy_control": "proxy"}


# --- Of other components ------------------------------------------------------------------------


@pytest.mark.parametrize("used", [True, False])
def test_a_swap_file_goes_out_of_use_out_of_fstab_and_off_the_disk(tmp_path: Path, used: bool) -> None:
    swap, fstab, swaps = tmp_path / "swap", tmp_path / "fstab", tmp_path / "swaps"
    swap.write_text("")
    (tmp_path / "link").symlink_to(swap)
    fstab.write_text(f"/dev/vda1 / ext4 defaults 0 1\n{swap} none swap sw 0 0\n/other none swap sw 0 0\n")
    swaps.write_text(f"Filename Type\n{swap if used else '/other'} file\n")
    path = stand_in(tmp_path, "swapoff")
    instead: dict[str, str | Path] = {"/etc/.fstab.new": tmp_path / ".new", "/etc/fstab": fstab, "/proc/swaps": swaps}
    for _ in range(2):
        answer = run_script("swap/remove", swap, tmp_path / "link", path=path, instead=instead)
        assert answer.returncode == 0, answer.stderr
        swaps.write_text("Filename Type\n")
    assert calls_in(tmp_path) == ([f"swapoff {swap}"] if used else [])
    assert fstab.read_text() == "/dev/vda1 / ext4 defaults 0 1\n/other none swap sw 0 0\n"
    assert not swap.exists() and not (tmp_path / "link").is_symlink() and not (tmp_path / ".new").exists()


def test_swap_that_does_not_fit_into_memory_stays_and_says_what_to_do(tmp_path: Path) -> None:
    swap, swaps = tmp_path / "swap", tmp_path / "swaps"
    swap.write_text("")
    swaps.write_text(f"{swap} file\n")
    path = stand_in(tmp_path, "swapoff", "exit 1")
    answer = run_script("swap/remove", swap, swap, path=path, instead={"/proc/swaps": swaps})
    assert answer.returncode == 1 and "run again" in answer.stderr
    assert swap.exists()


def test_a_setting_of_the_kernel_is_what_it_would_be_without_the_suites_file(tmp_path: Path) -> None:
    tree(tmp_path, "proc/vm/swappiness", "60-ours.conf")
    stand_in(tmp_path, "systemd-sysctl")
    instead: dict[str, str | Path] = {
        "/proc/sys": tmp_path / "proc",
        "/usr/lib/systemd/systemd-sysctl": tmp_path / "bin/systemd-sysctl",
    }
    answer = run_script("kernel/forget", tmp_path / "60-ours.conf", "vm.swappiness", "60", instead=instead)
    assert answer.returncode == 0, answer.stderr
    assert (tmp_path / "proc/vm/swappiness").read_text() == "60\n"
    assert not (tmp_path / "60-ours.conf").exists()
    # Another file's word counts then.
    assert calls_in(tmp_path) == ["systemd-sysctl --prefix=/vm/swappiness"]
