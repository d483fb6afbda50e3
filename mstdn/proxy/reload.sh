# Makes the proxy of the project in $1 use its files under vhost.d, if nginx accepts them.
set -eu
cd "$1"
# docker-gen looks for these files only when it generates (nginx-proxy#125): a new one needs its restart, an edit the HUP.
docker compose restart docker-gen >/dev/null 2>&1
# It writes in place, and a moment after its start: until then the configuration may be half, or name files that are gone.
tries=10
until verdict=$(docker compose exec -T nginx nginx -t -q 2>&1); do
    tries=$((tries - 1))
    if [ "$tries" = 0 ]; then
        printf '%s\n' "$verdict" >&2
        exit 1
    fi
    sleep 1
done
docker compose kill --signal HUP nginx >/dev/null 2>&1
