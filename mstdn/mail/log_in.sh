# What Mastodon meets when it goes out: asked in the container of web of the project $1, with its network, its trust and its own
# settings. $2: what else it visits, $3: the text of go_out.sh and of what goes before it, which prints how that went. Nothing
# where web does not run.
list_containers
web=$(running "$1" web | head -n 1)
[ -n "$web" ] || exit 0
docker exec "$web" sh -c "$3" mail/go_out "$2"
exit 0
