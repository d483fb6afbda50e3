# Goes before assets/publish, which is a unit of the server: what one that was killed has left under $1 goes. After timers/ended.
if has_ended "Nothing was stopped." deploy.py; then
    [ "$SERVICE_RESULT" != success ] || exit 0
    docker rm --force mstdn-publishing >/dev/null 2>&1 || true
    rm -rf "$1/.publishing" "$1"/.*.new
    exit 0
fi
