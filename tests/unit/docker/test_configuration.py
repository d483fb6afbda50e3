"""daemon.json, where somebody's keys and the suite's live together."""

from __future__ import annotations

from typing import Any

import pytest

from mstdn.docker.configuration import merged, parsed

BINDING = "com.docker.network.bridge.host_binding_ipv4"
OURS: dict[str, Any] = {
    "live-restore": True,
    "log-driver": "json-file",
    "log-opts": {"max-size": "10m", "max-file": "3"},
    "default-network-opts": {"bridge": {BINDING: "127.0.0.1"}},
    "ip": "127.0.0.1",
}
THEIRS: dict[str, Any] = {
    "data-root": "/big/docker",
    "dns": ["192.0.2.53"],
    "runtimes": {"nvidia": {"path": "nvidia-container-runtime"}},
    "default-network-opts": {"bridge": {"com.docker.network.driver.mtu": "1400"}, "overlay": {"x": "y"}},
}


def test_an_empty_configuration_becomes_the_suites() -> None:
    new = merged({}, None, OURS)
    assert (new.configuration, new.ours, new.kept) == (OURS, OURS, ())


def test_keys_of_others_stay_beside_the_suites_own() -> None:
    new = merged(THEIRS, None, OURS)
    assert new.configuration == {
        **THEIRS,
        **OURS,
        "default-network-opts": {
            "bridge": {"com.docker.network.driver.mtu": "1400", BINDING: "127.0.0.1"},
            "overlay": {"x": "y"},
        },
    }
    assert new.ours == OURS and new.kept == ()


def test_nothing_is_changed_twice() -> None:
    once = merged(THEIRS, None, OURS)
    again = merged(once.configuration, once.ours, OURS)
    assert (again.configuration, again.ours) == (once.configuration, once.ours)


@pytest.mark.parametrize(
    ("key", "value"),
    [("ip", "0.0.0.0"), ("log-driver", "journald"), ("log-opts", {"max-size": "50m"})],  # noqa: S104
)
def test_a_key_of_somebody_else_with_another_value_is_kept_and_named(key: str, value: object) -> None:
    new = merged({key: value}, None, OURS)
    assert new.configuration[key] == value
    assert new.kept == (key,)
    assert key not in new.ours


def test_options_of_the_log_are_not_given_to_another_driver() -> None:
    # dockerd --validate takes it, and the daemon then does not start: unknown log opt 'max-size' for journald.
    new = merged({"log-driver": "journald"}, None, OURS)
    assert "log-opts" not in new.configuration


def test_live_restore_is_the_suites_whatever_was_said() -> None:
    new = merged({"live-restore": False}, None, OURS)
    assert new.configuration["live-restore"] is True and new.kept == ()


def test_what_was_changed_by_hand_of_the_suites_own_is_put_right() -> None:
    drifted = {**THEIRS, **OURS, "ip": "0.0.0.0", "log-opts": {"max-size": "1m"}, "live-restore": False}  # noqa: S104
    new = merged(drifted, OURS, OURS)
    assert {key: new.configuration[key] for key in ("ip", "log-opts", "live-restore")} == {
        key: OURS[key] for key in ("ip", "log-opts", "live-restore")
    }


def test_a_setting_that_changes_changes_the_suites_own_key() -> None:
    changed = OURS | {"log-opts": {"max-size": "99m", "max-file": "3"}}
    assert merged({**THEIRS, **OURS}, OURS, changed).configuration["log-opts"] == changed["log-opts"]


def test_a_key_that_is_no_longer_wanted_is_taken_out_again_and_nothing_else() -> None:
    ipv6 = {key: value for key, value in OURS.items() if key != "default-network-opts"} | {"ip": "::1"}
    with_ours = merged(THEIRS, None, OURS)
    new = merged(with_ours.configuration, with_ours.ours, ipv6)
    assert new.configuration == {**THEIRS, **ipv6}
    alone = merged(OURS, OURS, ipv6)
    assert alone.configuration == ipv6


def test_a_file_written_whole_by_an_edition_without_a_note_is_the_suites() -> None:
    older = OURS | {"log-opts": {"max-size": "5m", "max-file": "9"}}
    new = merged(older, None, OURS)
    assert (new.configuration, new.ours, new.kept) == (OURS, OURS, ())


@pytest.mark.parametrize(
    ("flags", "missing"),
    [
        (("--live-restore",), {"live-restore"}),
        (("--live-restore=true",), {"live-restore"}),
        (("--log-driver", "journald"), {"log-driver", "log-opts"}),
        (("--log-opt", "max-size=1m"), {"log-driver", "log-opts"}),
        (("--ip=192.0.2.1",), {"ip"}),
        (("--default-network-opt=bridge=x=y",), {"default-network-opts"}),
        (("-H", "fd://", "--containerd=/run/containerd/containerd.sock"), set()),
    ],
)
def test_what_is_an_option_of_the_unit_is_left_out_because_the_daemon_takes_it_once(
    flags: tuple[str, ...], missing: set[str]
) -> None:
    new = merged({}, None, OURS, flags)
    assert OURS.keys() - new.configuration.keys() == missing
    # Also where the suite wrote it before somebody made an option of it.
    assert merged(OURS, OURS, OURS, flags).configuration == new.configuration


@pytest.mark.parametrize("strange", [{"default-network-opts": "x"}, {"default-network-opts": {"bridge": []}}])
def test_an_odd_value_is_left_for_the_daemon_to_judge(strange: dict[str, Any]) -> None:
    assert merged(strange, None, OURS).configuration["default-network-opts"] == strange["default-network-opts"]


@pytest.mark.parametrize(("text", "value"), [(None, {}), ("", {}), (" \n", {}), ('{"a": 1}', {"a": 1})])
def test_a_missing_or_empty_file_says_nothing(text: str | None, value: dict[str, Any]) -> None:
    assert parsed(text) == value


@pytest.mark.parametrize("text", ["{", "[]", '"x"', '{"a": 1,}'])
def test_what_is_no_json_object_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"line|object"):
        parsed(text)
