#!/bin/bash
# The checks go before the image's own command only.
set -e
if [[ $* == '/bin/bash /app/start.sh' ]]; then
    python3 -ES /usr/local/lib/acme-companion/companion_checks.py
fi
exec "$@"
