# Makes the proxy of the project in $1 use its files under vhost.d, if nginx accepts them.
set -eu
cd "$1"
# docker-gen looks for these files only when it generates (nginx-proxy#125): a new one needs its restart, an edit the HUP.
docker compose restart docker-gen >/dev/null 2>&1
docker compose exec -T nginx nginx -t -q
docker compose kill --signal HUP nginx >/dev/null 2>&1
