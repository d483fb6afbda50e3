# Makes the inner nginx of the project in $1 read its configuration, if nginx accepts it.
set -eu
cd "$1"
docker compose exec -T nginx nginx -t -q -c /etc/nginx/mstdn/nginx.conf
docker compose kill --signal HUP nginx >/dev/null 2>&1
