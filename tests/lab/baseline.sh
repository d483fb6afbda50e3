#!/bin/sh
# What the benchmark compares the suite with: the same irreducible commands, typed one after the other by somebody who
# trusts that nothing goes wrong. It checks nothing, refuses nothing and cannot be run twice.
#
#   baseline.sh DOMAIN RELEASE SWAP_FILE SWAP_MIB
#
# The files of configuration that the suite would write are there already, and so is its list of images to pull.
set -eu
domain=$1 release=$2 swap=$3 swap_mib=$4
export DEBIAN_FRONTEND=noninteractive
cd /srv/mastodon
mv /etc/apt/sources.list.d/docker.sources /root

dd if=/dev/zero of="$swap" bs=1M count="$swap_mib" conv=fsync status=none
chmod 0600 "$swap"
mkswap "$swap" >/dev/null
swapon "$swap"
echo "$swap none swap sw 0 0" >>/etc/fstab

apt-get update -qq
apt-get install -qq --no-install-recommends ca-certificates curl git gpg >/dev/null
mkdir -p /etc/apt/keyrings
curl -fsS -o /etc/apt/keyrings/docker.asc https://download.docker.com/linux/debian/gpg
mv /root/docker.sources /etc/apt/sources.list.d/
apt-get update -qq
apt-get install -qq --no-install-recommends \
    docker-ce docker-ce-cli containerd.io docker-buildx-plugin docker-compose-plugin >/dev/null

docker network create front >/dev/null
docker network create --internal back-mstdn >/dev/null
git clone --quiet --depth 1 --branch "$release" -c advice.detachedHead=false \
    https://github.com/mastodon/mastodon.git source
while read -r image _; do docker pull --quiet "$image" >/dev/null & done <state/images
wait

web=ghcr.io/mastodon/mastodon:$release
umask 077
database_password=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
redis_password=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
{
    docker run --rm --network none "$web" sh -ec 'printf SECRET_KEY_BASE=
        bin/rails secret; bin/rails db:encryption:init; bin/rails mastodon:webpush:generate_vapid_key' | grep '^[A-Z_]*='
    cat secrets/operator.env
    printf 'DB_PASS=%s\nREDIS_PASSWORD=%s\n' "$database_password" "$redis_password" | tee secrets/streaming.env
} >secrets/mastodon.env
od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >secrets/postgres-superuser-password
echo "$database_password" >secrets/postgres-password
echo "requirepass $redis_password" >secrets/redis.conf
chown 991:991 secrets/mastodon.env secrets/streaming.env
chown 999:999 secrets/postgres-superuser-password secrets/postgres-password secrets/redis.conf
printf '%s_REVISION=1\n' MASTODON STREAMING REDIS >.env
umask 022

docker compose up --quiet-pull --detach --wait db redis nginx 2>/dev/null
docker compose run --rm --no-deps -T migrate bundle exec rails db:prepare >/dev/null 2>&1
container=$(docker create "$web" true)
docker cp --quiet "$container:/opt/mastodon/public" assets/release
docker rm "$container" >/dev/null
ln -s release assets/current
ln -s release assets/previous

(cd /srv/proxy && docker compose up --detach --wait 2>/dev/null)
docker compose up --detach --wait 2>/dev/null
until curl -fs -o /dev/null --cacert /srv/proxy/ca-bundle/acme-ca-bundle.pem "https://$domain/api/v2/instance"; do
    sleep 0.2
done
