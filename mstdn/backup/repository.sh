# shellcheck disable=SC2034 # the programs that follow use what is made here
# Goes before the programs that work with the repository of backups, and docker/container.sh before it. What they are told by settings lies beside them.
set -eu
umask 077
notes=/var/lib/mstdn
# shellcheck source=/dev/null
. /usr/local/lib/mstdn/settings
# shellcheck source=/dev/null
[ ! -e "$BACKUP_SECRETS/environment" ] || . "$BACKUP_SECRETS/environment"
export RESTIC_REPOSITORY="$BACKUP_REPOSITORY" RESTIC_PASSWORD_FILE="$BACKUP_SECRETS/passphrase"
export RESTIC_CACHE_DIR=/var/cache/mstdn RESTIC_PROGRESS_FPS=0.1
export AWS_ACCESS_KEY_ID="${BACKUP_AWS_ACCESS_KEY_ID-}" AWS_SECRET_ACCESS_KEY="${BACKUP_AWS_SECRET_ACCESS_KEY-}"
[ -z "$BACKUP_S3_REGION" ] || export AWS_DEFAULT_REGION="$BACKUP_S3_REGION"
# What restic said last, where no other program can write.
mkdir -p "$RESTIC_CACHE_DIR" "$notes"
task=${0##*/}
words=$RESTIC_CACHE_DIR/$task-said

say() { printf '%s\n' "$*"; }
# Writes the lines of standard input to the note $1: beside it, then renamed. It fails where the disk is full.
note() {
    { cat >"$notes/.$1.new" && chmod 0644 "$notes/.$1.new" && mv -fT "$notes/.$1.new" "$notes/$1"; } || {
        rm -f "$notes/.$1.new"
        return 1
    }
}
# Ends the program with the sentence $1, which is noted for whoever asks later how the last one went. $2: failed or skipped.
give_up() {
    say "$1" >&2
    # A full disk may be why: then it is only said.
    printf 'time %s\nresult %s\nwhy %s\n' "$(date +%s)" "${2:-failed}" "$(printf '%s' "$1" | tr '\n' ' ')" | note "$task-result" || true
    [ "${2:-failed}" = skipped ] && exit 0
    exit 1
}
# By a signal the shell would end without what it has to tidy up: a database aside that goes on running, a dump on the disk.
# The signal may come while a function's words are led elsewhere. systemd tells every process of the unit, and goes on until it finds
# no new one: until then nothing is started but what does not listen.
exec 7>&2
trap 'trap "" TERM INT; sleep 0.2; give_up "It was told to stop, as by a reboot or by hand. Nothing that was there before is harmed; it can be begun again." 2>&7' TERM INT
patience=
run_restic() {
    [ -z "$BACKUP_SFTP_COMMAND" ] || set -- --option "sftp.command=$BACKUP_SFTP_COMMAND" "$@"
    ${patience:+timeout "$patience"} restic "$@"
}
# Runs restic with these arguments and keeps what it complains of in $words. Its exit code is that of restic, which often ends before
# it has passed on why ssh failed: 5 of 14 times it had not. Then ssh is asked itself.
quietly() {
    ended=0
    run_restic "$@" 2>"$words" || {
        ended=$?
        # shellcheck disable=SC2086 # words of ours
        ! grep -q 'unable to start the sftp session' "$words" || timeout 60 $BACKUP_SFTP_COMMAND </dev/null 2>>"$words" >/dev/null || true
    }
    return "$ended"
}
# The same for what the repository may not refuse: ends the program with the reason. $1: what was being done.
surely() {
    doing=$1
    shift
    quietly "$@" || give_up "$(explain "$doing")"
}
is_missing() {
    grep -qiE 'unable to open config file|Is there a repository at the following location|repository does not exist' "$words" &&
        ! grep -qiE "$REFUSED|$UNREACHABLE" "$words"
}
REFUSED='access.?denied|InvalidAccessKeyId|SignatureDoesNotMatch|Permission denied|Host key verification failed|Forbidden'
UNREACHABLE='connection refused|no such host|no route to host|i/o timeout|timed out|Could not resolve|network is unreachable|Connection (closed|reset) by|certificate'
NO_REGION='400 Bad Request|AuthorizationHeaderMalformed'
# What $words mean, in sentences, and what to do; with $advice where the repository is damaged. $1: what was being done.
advice=''
explain() {
    here=$BACKUP_REPOSITORY
    said=$(grep -v -e '^$' -e '^created new cache' "$words" | tail -n 5)
    if grep -qi 'wrong password or no key found' "$words"; then
        say "The passphrase does not open $here: BACKUP_PASSPHRASE in secrets.env is not the one that it was made with. Nothing was changed."
    elif grep -qi 'already locked' "$words"; then
        say "Somebody else is at work in $here: $(grep -iE 'locked|lock was created' "$words" | tr '\n' ' ')Wait for it. If nobody is (a server that is gone), remove the lock on this server with: /usr/local/lib/mstdn/restic unlock --remove-all"
    elif grep -qi 'no space left on device\|quota exceeded\|XMinioStorageFull' "$words" ||
        { [ -z "$said" ] && [ "$(free_kib "$RESTIC_CACHE_DIR")" -lt 1024 ]; }; then
        # On a full disk there are no words either.
        say "There is no room left for $1 ($here, or $MASTODON_ROOT or $RESTIC_CACHE_DIR on this server). Make room or keep fewer backups (backup_keep_daily and its like). What is there already is not harmed. In restic's words: $said"
    elif grep -qiE "$REFUSED" "$words"; then
        case $here in
        s3:*) look='look at BACKUP_AWS_ACCESS_KEY_ID and BACKUP_AWS_SECRET_ACCESS_KEY in secrets.env, and at what that key may do with the bucket' ;;
        sftp:*) look='look at BACKUP_SSH_KEY in secrets.env and at backup_sftp_host_key' ;;
        *) look='look at who may write there' ;;
        esac
        say "$here does not let this server in: $look. In its own words: $said"
    elif grep -qiE "$NO_REGION" "$words"; then
        say "$here does not understand what it is asked, as when backup_s3_region (now: ${BACKUP_S3_REGION:-empty}) is not the bucket's region. In its own words: $said"
    elif grep -qiE "$UNREACHABLE" "$words"; then
        say "$here cannot be reached from this server. In restic's words: $said"
    elif is_missing; then
        say "There is no repository at $here, although backups were made there. Is its disk mounted, is the address right? None is made in its place. If that one is really lost and a new one is meant: rm $notes/repositories"
    elif grep -qiE 'ciphertext verification failed|does not match|is damaged|invalid data returned|pack .* not found|not found in index|unexpected EOF|errors? (were|was) (found|encountered)|contains errors' "$words"; then
        say "The repository $here is damaged. On this server, /usr/local/lib/mstdn/restic check --read-data names the broken parts; docs/runbook.md, \"A backup is damaged\", says what can be kept.$advice In restic's words: $said"
    else
        say "restic failed at $1: $said"
    fi
}
# The repository can be opened, or the program ends. A lock is removed if nobody can hold it any more: restic looks whether the
# process lives. $1: "make" makes a repository where none ever was.
open_repository() {
    noted=$(awk -v here="$BACKUP_REPOSITORY" '$2 == here { print $1 }' "$notes/repositories" 2>/dev/null || true)
    # restic asks again for a quarter of an hour, also what never gets another answer.
    patience=180
    quietly cat config >"$RESTIC_CACHE_DIR/config" || {
        patience=
        is_missing || give_up "$(explain 'opening the repository')"
        [ "$1" = make ] && [ -z "$noted" ] || give_up "$(explain 'opening the repository')"
        say "Make the repository $BACKUP_REPOSITORY"
        surely 'making the repository' init >/dev/null
        surely 'opening the repository' cat config >"$RESTIC_CACHE_DIR/config"
    }
    patience=
    identity=$(sed -n 's/.*"id": *"\([0-9a-f]*\)".*/\1/p' "$RESTIC_CACHE_DIR/config")
    [ -z "$noted" ] || [ "$noted" = "$identity" ] ||
        give_up "$BACKUP_REPOSITORY is another repository than the one that this server used there before. Is the right disk mounted? If another one is meant: rm $notes/repositories"
    [ -n "$noted" ] || {
        cat "$notes/repositories" 2>/dev/null || true
        echo "$identity $BACKUP_REPOSITORY"
    } | note repositories
    surely 'removing old locks' unlock >/dev/null
}
# The ID of the running container of Mastodon's service $1, "" for none.
container() { container_of mstdn "$1"; }
# Which instance the keys in the file $1 belong to. The key is public: every browser is told.
instance_of() { sed -n 's/^VAPID_PUBLIC_KEY=//p' "$1" | sha256sum | cut -c 1-12; }
# Asks the database $2 in the container $1, as its administrator, what stands on standard input.
sql() {
    docker exec -i -e PGAPPNAME=mstdn-backup "$1" sh -c 'PGPASSWORD=$(cat /run/secrets/postgres-superuser-password 2>/dev/null) exec psql --username postgres --dbname "$1" --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1' sql "$2"
}
# The number of rows of every table of the application: "rows TABLE NUMBER".
COUNT_ROWS="SELECT format('SELECT ''rows %I '' || count(*) FROM %I.%I', relname, n.nspname, relname)
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE relkind = 'r' AND n.nspname = 'public' ORDER BY relname \\gexec"
free_kib() { df -Pk "$1" | awk 'NR == 2 { print $4 }'; }
mib() { echo $(($1 / 1024)); }
