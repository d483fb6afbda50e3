#!/bin/sh
# Runs the scripts of /docker-entrypoint.d before nginx, as the official image does: *.envsh are sourced,
# executable *.sh are run, everything else is named and passed over.
set -eu

say() {
    [ -n "${NGINX_ENTRYPOINT_QUIET_LOGS:-}" ] || echo "$0: $*"
}

case "${1:-}" in
nginx | nginx-debug)
    for script in /docker-entrypoint.d/*; do
        [ -e "$script" ] || continue
        case "$script" in
        *.envsh | *.sh)
            if [ ! -x "$script" ]; then
                say "Ignoring $script, not executable"
            elif [ "${script%.envsh}" != "$script" ]; then
                say "Sourcing $script"
                # shellcheck source=/dev/null
                . "$script"
            else
                say "Launching $script"
                "$script"
            fi
            ;;
        *) say "Ignoring $script" ;;
        esac
    done
    say "Configuration complete; ready for start up"
    ;;
esac

exec "$@"
