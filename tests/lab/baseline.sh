#!/bin/sh
# What somebody would type who makes the same server by hand and never looks back: the commands that cannot be left out, in
# their shortest form, without a check, a repair or a second run. The measure for the suite's first run.
#
# $1: release. $2: size of the swap file in MiB. $3: its path. The files of both projects lie in place already.
set -eu
release=$1 swap_mib=$2 swap_path=$3
root=/srv/mastodon

dd if=/dev/zero of="$swap_path" bs=1M count="$swap_mib" conv=fsync 2>/dev/null
chmod 0600 "$swap_path"
mkswap "$swap_path" >/dev/null
swapon "$swap_path"
echo "$swap_path none swap sw 0 0" >>/etc/fstab

export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -qq --yes --no-install-recommends ca-certificates curl git gpg >/dev/null
curl --fail --silent --show-error https://download.docker.com/linux/debian/gpg >/etc/apt/keyrings/docker.asc
echo "deb [signed-by=/etc/apt/keyrings/docker.asc] https://download.docker.com/linux/debian trixie stable" \
    >/etc/apt/sources.list.d/docker.list
apt-get update -qq
apt-get install -qq --yes --no-install-recommends docker-ce docker-ce-cli containerd.io docker-buildx-plugin \
    docker-compose-plugin >/dev/null

docker network create front >/dev/null
docker network create --internal back-mstdn >/dev/null
git clone --quiet --depth 1 --branch "$release" -c advice.detachedHead=false \
    https://github.com/mastodon/mastodon.git "$root/source"

: >"$root/.env"
echo SECRETS_REVISION=by-hand >"$root/.env"
docker compose --project-directory "$root" pull --quiet 2>/dev/null
docker compose --project-directory /srv/proxy pull --quiet 2>/dev/null

cd "$root/secrets"
{
    docker run --rm --network none "ghcr.io/mastodon/mastodon:$release" sh -ec '
        printf SECRET_KEY_BASE=; bin/rails secret
        bin/rails db:encryption:init
        bin/rails mastodon:webpush:generate_vapid_key' | grep '^[A-Z_]*='
    echo DB_PASS=by-hand
    echo REDIS_PASSWORD=by-hand
} >mastodon.env
grep -E '^(DB_PASS|REDIS_PASSWORD)=' mastodon.env >streaming.env
echo by-hand >postgres-password
echo by-hand >postgres-superuser-password
echo requirepass by-hand >redis.conf
chown 991:991 mastodon.env streaming.env
chown 999:999 postgres-password postgres-superuser-password redis.conf

cd "$root"
docker compose up --detach --wait --wait-timeout 300 db redis nginx >/dev/null 2>&1
docker compose run --rm --no-deps -T migrate bundle exec rails db:prepare >/dev/null 2>&1
container=$(docker create "ghcr.io/mastodon/mastodon:$release" true)
docker cp --quiet "$container:/opt/mastodon/public" assets/by-hand
docker rm "$container" >/dev/null
ln -s by-hand assets/current
ln -s by-hand assets/previous
docker compose --project-directory /srv/proxy up --detach --wait --wait-timeout 300 >/dev/null 2>&1
docker compose up --detach --wait --wait-timeout 300 >/dev/null 2>&1
