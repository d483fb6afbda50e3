# The images of the engine: "image REFERENCE ID" for each, REFERENCE being "REPOSITORY:<none>" for one without a tag; "built ID" for
# each that was built here from the checkout.
docker image ls --no-trunc --format 'image {{.Repository}}:{{.Tag}} {{.ID}}' || docker_is_silent
docker image ls --no-trunc --filter label=org.mstdn.source --format 'built {{.ID}}' || docker_is_silent
exit 0
