# Goes before scripts that act in a container, or on one.
# The ID of a running container of the service $2 of the project $1, "" for none. None that "docker compose run" has made.
container_of() {
    docker ps --quiet --no-trunc --filter label=com.docker.compose.oneoff=False --filter "label=com.docker.compose.project=$1" \
        --filter "label=com.docker.compose.service=$2" | head -n 1
}
