# Has the program $1 send one message by each channel, as an alert goes, and prints how that went.
if [ ! -x "$1" ]; then
    echo "The watcher is not on this server yet. Deploy: pyinfra inventory.py deploy.py" >&2
    exit 1
fi
exec "$1" test
