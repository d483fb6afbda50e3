#!/bin/sh
# The official image's contract: `--flag` or `file.conf` alone mean redis-server; root gives /data to redis and steps down.
set -eu

case "${1:-}" in
-* | *.conf) set -- redis-server "$@" ;;
esac

if [ "${1:-}" = redis-server ] && [ "$(id -u)" = 0 ]; then
    find . ! -user redis -exec chown redis {} +
    exec setpriv --reuid=redis --regid=redis --init-groups "$0" "$@"
fi

# Data files are nobody else's business, unless the caller has already chosen a mask.
if [ "$(umask)" = 0022 ]; then
    umask 0077
fi

exec "$@"
