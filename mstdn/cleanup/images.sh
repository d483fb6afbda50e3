# The images of the engine: "image REFERENCE ID" for each, REFERENCE being "REPOSITORY:<none>" for one without a tag; "built ID" for
# each that was built here from the checkout; "used ID" for each that a container was made from.
docker image ls --no-trunc --format 'image {{.Repository}}:{{.Tag}} {{.ID}}' || docker_is_silent
docker image ls --no-trunc --filter label=org.mstdn.source --format 'built {{.ID}}' || docker_is_silent
containers=$(docker ps --all --quiet) || docker_is_silent
# shellcheck disable=SC2086 # one word for each container
[ -z "$containers" ] || docker inspect --format 'used {{.Image}}' $containers 2>/dev/null | sort -u
exit 0
