# Removes what builds left in their cache and no build has used for a day.
set -eu
docker builder prune --force --filter until=24h >/dev/null
