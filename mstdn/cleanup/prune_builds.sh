# Removes what builds left in their cache and no build has used for a day. The cache does not tell whose build left something, so
# builds of others on this engine take longer once.
set -eu
docker builder prune --force --filter until=24h >/dev/null
