# Waits until no container of the project $1 is starting any more, but not longer than $2 seconds.
end=$(($(date +%s) + $2))
while [ "$(date +%s)" -lt "$end" ] && [ -n "$(docker ps --quiet --filter "label=com.docker.compose.project=$1" --filter health=starting)" ]; do
    sleep 1
done
exit 0
