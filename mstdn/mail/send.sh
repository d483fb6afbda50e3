# Sends a test mail to $2 as Mastodon would: in the container of web of the project $1, with its network, its trust and its own
# settings. $3: the mail's subject, $4: the text of hand_over.sh and of what goes before it, which prints how that went.
web=$(container_of "$1" web)
if [ -z "$web" ]; then
    echo "Mastodon does not run. Start it: pyinfra inventory.py deploy.py" >&2
    exit 1
fi
docker exec -i "$web" sh -c "$4" mail/hand_over "$2" "$3" <<TEXT
This is a test: $3.
It came by the way that sign-ups and new passwords take. If it lies among the spam, theirs will too.
TEXT
