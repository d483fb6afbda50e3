"""Who else works on the server, and what a new password has to reach."""

from __future__ import annotations

from mstdn import versions
from tests.e2e.instance import SECRETS_FILE, Instance


def test_a_member_of_docker_users_can_use_the_documented_commands(instance: Instance) -> None:
    # The lab's operator, whom the suite does not put into the group by itself.
    alice = "runuser --user alice -- sh -c"
    instance.run("id alice >/dev/null 2>&1 || useradd --create-home alice")
    assert not instance.succeeds(f"{alice} 'docker ps'")
    instance.converge("tasks/docker.py", docker_users=["alice"])
    try:
        version = instance.run(f"{alice} 'cd /srv/mastodon && docker compose exec -T web bin/tootctl --version'")
        assert versions.MASTODON.removeprefix("v") in version
        assert "web" in instance.run(f"{alice} 'cd /srv/mastodon && docker compose ps --services'")
        # What is readable tells nothing.
        assert not instance.succeeds(f"{alice} 'cat {SECRETS_FILE}'")
    finally:
        instance.converge("tasks/docker.py")


def test_a_redis_password_that_is_made_anew_reaches_all_who_use_it(instance: Instance) -> None:
    old, started = instance.secrets()["REDIS_PASSWORD"], instance.started()
    instance.run(f"sed -i /^REDIS_PASSWORD=/d {SECRETS_FILE}")
    instance.converge()
    new = instance.secrets()["REDIS_PASSWORD"]
    assert new != old
    anew = {name for name, since in instance.started().items() if since != started[name]}
    assert anew == {"mstdn/redis", "mstdn/web", "mstdn/sidekiq", "mstdn/streaming"}
    for path in ("/health", "/api/v1/streaming/health"):
        assert instance.visit(path).status == 200
    ping = "redis-cli ping"
    assert "PONG" in instance.inside("mstdn", "redis", f"REDISCLI_AUTH={new} {ping}")
    assert "PONG" not in instance.inside("mstdn", "redis", f"REDISCLI_AUTH={old} {ping}", check=False)
    assert instance.converge().changed == []


def test_a_database_that_postgresql_has_lost_is_not_replaced_by_an_empty_one(instance: Instance) -> None:
    """Somebody has given up half-way through a restore by hand."""
    token = instance.token("erna")

    def psql(statement: str) -> None:
        instance.run(f"cd /srv/mastodon && docker compose exec -T db psql -U postgres -c '{statement}'")

    instance.run("cd /srv/mastodon && docker compose stop web streaming sidekiq")
    psql("ALTER DATABASE mastodon_production RENAME TO aside")
    try:
        for role in ("ALTER ROLE mastodon RENAME TO other", "ALTER ROLE other RENAME TO mastodon"):
            psql(role)
            said = instance.refusal()
            assert "PostgreSQL has no database mastodon_production" in said and "tasks/restore.py" in said
            assert "Nothing was changed" in said
    finally:
        psql("ALTER DATABASE aside RENAME TO mastodon_production")
    instance.converge()
    answer = instance.visit("/api/v1/accounts/verify_credentials", "--header", f"Authorization: Bearer {token}")
    assert answer.status == 200
    assert instance.converge().changed == []
