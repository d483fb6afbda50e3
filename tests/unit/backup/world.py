"""A server with an instance, and stand-ins for Docker and restic, on which the programs of backups run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mstdn.kinds.dotenv import dotenv_text
from tests.harness import stand_in

# db and redis run; the dump is a few bytes, and each part of it can be told to go wrong by a file of that name.
DOCKER = r"""
here=@HERE@
case $* in
"ps "*service=*) for last; do :; done; [ -e "$here/no-${last##*=}" ] || echo "id-of-${last##*=}" ;;
*"pg_restore --list"*)
    cat >/dev/null
    [ ! -e "$here/dump-unreadable" ] || { echo "not a valid archive" >&2; exit 1; }
    [ -e "$here/dump-empty" ] || echo "1; 0 0 TABLE DATA public accounts" ;;
*"pg_restore --username"*) cat >"$here/loaded" ;;
*" network create"* | "network create"*) : >"$here/network"; [ ! -e "$here/told-to-stop" ] || kill "$PPID" ;;
"network rm"*) rm -f "$here/network" ;;
*pg_isready*) [ -e "$here/network" ] ;;
*"rails runner"*)
    cat >"$here/program"
    cp "$(printf '%s\n' "$*" | sed 's/.*--volume \([^:]*\):.*/\1/')" "$here/environment"
    [ ! -e "$here/no-boot" ] || { echo "missing keys" >&2; exit 1; }
    printf 'encrypted 7\nunreadable %s\n' "$(cat "$here/unreadable" 2>/dev/null || echo 0)" ;;
*"tootctl feeds"*) [ ! -e "$here/feeds-fail" ] || { echo "no such command"; exit 1; } ;;
*"pg_restore --file"*) [ "$(tail -c 5)" = whole ] || { echo "unexpected end of file" >&2; exit 1; } ;;
*"psql"*)
    cat >"$here/asked"
    cat "$here/asked" >>"$here/all-asked"
    case $(cat "$here/asked") in
    ANALYZE*) cat "$here/rows" 2>/dev/null || echo "rows accounts 3" ;;
    *pg_tables*)
        [ ! -e "$here/uncounted" ] || { cat "$here/uncounted" >&2; exit 2; }
        cat "$here/tables" 2>/dev/null || echo 3 ;;
    *shobj_description*)
        [ ! -e "$here/unasked" ] || { cat "$here/unasked" >&2; exit 137; }
        [ -e "$here/answers-nothing" ] || echo "kept: $(cat "$here/kept" 2>/dev/null)" ;;
    *"RENAME TO"*) [ ! -e "$here/no-switch" ] || { echo "ERROR: still in use" >&2; exit 3; } ;;
    esac
    case $* in *mstdn-drill-db*) cat "$here/rows-of-the-drill" 2>/dev/null || echo "rows accounts 3"; exit ;; esac
    if grep -q pg_export_snapshot "$here/asked"; then
        printf 'PGDMP rows '
        [ ! -e "$here/dump-ends-early" ] || { echo 'pg_dump: error: out of memory' >&2; exit 0; }
        [ -e "$here/dump-truncated" ] || printf whole
        printf 'dumped\nrows accounts 3\npostgres 17.5\n' >&2
    elif grep -q pg_database_size "$here/asked"; then echo "${DATABASE_BYTES:-1048576}"; fi ;;
*"redis-cli"*"INFO server"*)
    cat "$here/run-id"
    # One that has ended says nothing, then that it starts, and then who it is now.
    [ -s "$here/redis-starts" ] || exit 0
    head -n 1 "$here/redis-starts" >"$here/run-id"
    sed -i 1d "$here/redis-starts" ;;
*"redis-cli"*BGSAVE*)
    [ ! -e "$here/told-to-stop" ] || kill "$PPID"
    [ ! -e "$here/redis-full" ] || exit 0
    [ ! -e "$here/redis-ends" ] || { mv "$here/redis-ends" "$here/redis-starts"; : >"$here/run-id"; exit 0; }
    [ -e "$here/redis-saves-elsewhere" ] || {
        echo "REDIS0012 jobs" >"$here/srv/redis/temp-7.rdb"
        mv "$here/srv/redis/temp-7.rdb" "$here/srv/redis/dump.rdb"
    } ;;
*"redis-cli"*persistence*)
    echo "rdb_bgsave_in_progress:0"
    [ ! -e "$here/redis-full" ] || echo "rdb_last_bgsave_status:err" ;;
"inspect "*RestartPolicy*) cat "$here/policy-$4" 2>/dev/null || echo always ;;
"update --restart "*)
    [ ! -e "$here/no-update" ] || { cat "$here/no-update" >&2; exit 1; }
    echo "$3" >"$here/policy-$4" ;;
"inspect "*) echo ghcr.io/mastodon/mastodon:v4.7.60 ;;
esac
"""
RESTIC = r"""
here=@HERE@ previous=''
while :; do case $1 in --option) shift 2 ;; --no-*) shift ;; *) break ;; esac; done
fail() { echo "$2" >&2; exit "$1"; }
[ ! -e "$here/fail-$1" ] || fail 1 "$(cat "$here/fail-$1")"
case $1 in
cat) [ -e "$here/repository" ] || fail 1 "Fatal: unable to open config file: stat: no such file
Is there a repository at the following location?"; printf '{"version":2,"id":"%s"}\n' "$(cat "$here/repository")" ;;
init) echo 0123abcd >"$here/repository" ;;
snapshots)
    gone=$(cat "$here/pruned" 2>/dev/null) && case $* in *"$gone") echo '[]' && exit ;; esac
    cat "$here/snapshots" 2>/dev/null || echo '[]' ;;
dump) case $3 in */manifest) cat "$here/snapshot/backup/manifest" ;; *) cat "$here/keys" ;; esac ;;
check) echo "no errors were found" ;;
restore)
    for last; do [ "$previous" != --target ] || target=$last; previous=$last; done 2>/dev/null
    [ "$target" != / ] || exit 0
    mkdir -p "$target$here/srv" && cp -r "$here/snapshot/." "$target$here/srv" ;;
backup)
    ls -l "$here/srv/backup" >"$here/sent"; cp "$here/srv/backup/manifest" "$here/manifest"
    echo "snapshot 1a2b3c4d saved"
    [ ! -e "$here/incomplete" ] || fail 3 "$(cat "$here/incomplete")" ;;
esac
"""


@dataclass(frozen=True)
class Server:
    """`home` holds the instance in srv, the notes in notes, and what stand-ins leave behind."""

    home: Path

    def __post_init__(self) -> None:
        for name in ("srv/state", "srv/secrets/backup", "srv/redis", "srv/media/cache", "notes", "cache"):
            (self.home / name).mkdir(parents=True, exist_ok=True)
        (self.home / "srv/state/installed.env").write_text(
            "LOCAL_DOMAIN=social.example.org\nMASTODON_VERSION=v4.7.60\n"
        )
        (self.home / "srv/secrets/instance.env").write_text("VAPID_PUBLIC_KEY=BAAA\n# complete\n")
        (self.home / "srv/redis/dump.rdb").write_text("REDIS0012 jobs")
        (self.home / "srv/media/picture.png").write_text("a picture")
        (self.home / "srv/media/cache/remote.png").write_text("of others")
        (self.home / "run-id").write_text(f"# Server\r\nredis_version:7.4.2\r\nrun_id:{'0f' * 20}\r\n")
        self.tell()
        for program, text in (("docker", DOCKER), ("restic", RESTIC)):
            stand_in(self.home, program, text.replace("@HERE@", str(self.home)))

    def tell(self, **settings: str) -> None:
        """Write the programs' settings, with these changed."""
        told = {
            "LOCAL_DOMAIN": "social.example.org",
            "MASTODON_ROOT": f"{self.home}/srv",
            "PROXY_ROOT": f"{self.home}/proxy",
            "BACKUP_REPOSITORY": "/backups",
            "BACKUP_SECRETS": f"{self.home}/srv/secrets/backup",
            "BACKUP_SFTP_COMMAND": "",
            "BACKUP_S3_REGION": "",
            "BACKUP_KEEP_DAILY": "7",
            "BACKUP_KEEP_WEEKLY": "5",
            "BACKUP_KEEP_MONTHLY": "12",
            "BACKUP_MEDIA_CACHE": "no",
            "DRILL_MEMORY_MIB": "1",
            "DRILL_MEDIA_FILES": "20",
            "DRILL_READ_DATA_PERCENT": "2",
        }
        (self.home / "settings").write_text(dotenv_text(told | settings))

    @property
    def instead(self) -> dict[str, str | Path]:
        """What the programs find here instead of on a server."""
        return {
            "/usr/local/lib/mstdn/settings": self.home / "settings",
            "notes=/var/lib/mstdn": f"notes={self.home}/notes",
            "/var/cache/mstdn": self.home / "cache",
        }

    def make(self, name: str, text: str = "") -> None:
        """A file that tells a stand-in what to do."""
        (self.home / name).write_text(text)

    def note(self, name: str) -> dict[str, str]:
        """A note of the programs, by the first word of each line; empty where there is none."""
        path = self.home / "notes" / name
        lines = path.read_text().splitlines() if path.exists() else []
        return {key: value for key, _, value in (line.partition(" ") for line in lines)}
