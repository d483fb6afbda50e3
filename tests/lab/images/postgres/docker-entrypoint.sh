#!/bin/bash
# The official image's contract: make a cluster in an empty PGDATA, then become the server, never as root.
set -Eeuo pipefail

# Takes NAME from NAME_FILE when only the latter is set. Usage: from_file NAME DEFAULT
from_file() {
    local file_variable="$1_FILE"
    if [ -n "${!1:-}" ] && [ -n "${!file_variable:-}" ]; then
        echo "error: both $1 and $file_variable are set (but are exclusive)" >&2
        exit 1
    fi
    if [ -n "${!file_variable:-}" ]; then
        printf -v "$1" '%s' "$(<"${!file_variable}")"
    else
        printf -v "$1" '%s' "${!1:-$2}"
    fi
    export "${1?}"
    unset "$file_variable"
}

# From 18 on, where nobody says where the data are: those of before would be overlooked, and a mount in their place means that they
# were meant (docker-library/postgres, pull requests 1259 and 1372).
refuse_the_place_of_before() {
    [ "$PGDATA" = "/var/lib/postgresql/$PG_MAJOR/docker" ] && [ ! -s "$PGDATA/PG_VERSION" ] || return 0
    local place found=''
    for place in /var/lib/postgresql /var/lib/postgresql/data /var/lib/postgresql/*/docker; do
        [ ! -s "$place/PG_VERSION" ] || found+=" $place"
    done
    if [ -z "$found" ] && mountpoint --quiet /var/lib/postgresql/data; then
        found=' /var/lib/postgresql/data (unused mount/volume)'
    fi
    if [ -n "$found" ]; then
        echo "Error: in 18+, data are expected in $PGDATA, and there seem to be some in:$found" >&2
        exit 1
    fi
}

only_asks_for_help() {
    local argument
    for argument; do
        case "$argument" in
        '-?' | --help | --describe-config | -V | --version) return 0 ;;
        esac
    done
    return 1
}

prepare_directories() {
    mkdir --parents "$PGDATA"
    chmod 0700 "$PGDATA" || true
    mkdir --parents /var/run/postgresql || true
    chmod 03775 /var/run/postgresql || true
    if [ "$(id -u)" = 0 ]; then
        find "$PGDATA" /var/run/postgresql ! -user postgres -exec chown postgres {} +
    fi
}

refuse_without_password() {
    if [ -z "$POSTGRES_PASSWORD" ] && [ "${POSTGRES_HOST_AUTH_METHOD:-}" != trust ]; then
        cat >&2 <<'END'
Error: Database is uninitialized and superuser password is not specified.
       You must specify POSTGRES_PASSWORD to a non-empty value for the
       superuser, or POSTGRES_HOST_AUTH_METHOD=trust to let everybody in.
END
        exit 1
    fi
}

# Runs psql against the temporary server, which listens on its Unix socket only.
ask() {
    PGHOST='' PGHOSTADDR='' psql --set ON_ERROR_STOP=1 --no-psqlrc --no-password --username "$POSTGRES_USER" "$@"
}

run_initialization_files() {
    local file
    for file in /docker-entrypoint-initdb.d/*; do
        [ -e "$file" ] || continue
        echo "$0: running $file"
        case "$file" in
        *.sh)
            if [ -x "$file" ]; then
                "$file"
            else
                # shellcheck source=/dev/null
                . "$file"
            fi
            ;;
        *.sql) ask --dbname "$POSTGRES_DB" --file "$file" ;;
        *.sql.gz) gunzip --stdout "$file" | ask --dbname "$POSTGRES_DB" ;;
        *.sql.zst) zstd --decompress --stdout "$file" | ask --dbname "$POSTGRES_DB" ;;
        *) echo "$0: ignoring $file" ;;
        esac
    done
}

initialize() {
    shift
    from_file POSTGRES_PASSWORD ''
    from_file POSTGRES_USER postgres
    from_file POSTGRES_DB "$POSTGRES_USER"
    from_file POSTGRES_INITDB_ARGS ''
    refuse_without_password

    # Word splitting of POSTGRES_INITDB_ARGS, with quotes honoured, is part of the contract: hence eval.
    eval "initdb --username=\"\$POSTGRES_USER\" --pwfile=<(printf '%s\n' \"\$POSTGRES_PASSWORD\") $POSTGRES_INITDB_ARGS"
    local method="${POSTGRES_HOST_AUTH_METHOD:-$(postgres -C password_encryption "$@")}"
    printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"

    export PGPASSWORD="${PGPASSWORD:-$POSTGRES_PASSWORD}"
    local options
    options="$(printf '%q ' "$@" -c listen_addresses= -p "${PGPORT:-5432}")"
    PGUSER="$POSTGRES_USER" pg_ctl --pgdata "$PGDATA" --options "$options" --wait start
    if [ "$POSTGRES_DB" != postgres ]; then
        ask --dbname postgres --set database="$POSTGRES_DB" <<<'CREATE DATABASE :"database";'
    fi
    run_initialization_files
    PGUSER="$POSTGRES_USER" pg_ctl --pgdata "$PGDATA" --mode fast --wait stop
    unset PGPASSWORD
    printf '\nPostgreSQL init process complete; ready for start up.\n\n'
}

if [ "${1:0:1}" = - ]; then
    set -- postgres "$@"
fi

if [ "${1:-}" = postgres ] && ! only_asks_for_help "$@"; then
    refuse_the_place_of_before
    prepare_directories
    if [ "$(id -u)" = 0 ]; then
        exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
    fi
    if [ -s "$PGDATA/PG_VERSION" ]; then
        printf '\nPostgreSQL Database directory appears to contain a database; Skipping initialization\n\n'
    else
        initialize "$@"
    fi
fi

exec "$@"
