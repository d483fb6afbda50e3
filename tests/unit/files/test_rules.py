"""What is said of what is in the place of a file."""

from mstdn.files.rules import findings


def test_each_is_an_error_with_its_path_and_what_to_do() -> None:
    found = list(findings(["/srv/mastodon/.env", "/srv/mastodon/state/applied"]))
    assert [each.level for each in found] == ["error", "error"]
    assert found[1].text == (
        "/srv/mastodon/state/applied exists and is something else instead of a regular file: look at it, move it away, "
        "run again."
    )
