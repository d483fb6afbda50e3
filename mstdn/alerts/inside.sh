# Hands a mail over from the container of web, after docker/light.sh. $1: the program that does it, $2: to whom, $3: the subject; the
# text is on standard input.
list_containers
web=$(running mstdn web | head -n 1)
[ -n "$web" ] || exit 0
docker exec -i "$web" sh -c "$(cat "$1")" mail/hand_over "$2" "$3"
