# The images of the engine: "image REFERENCE ID" for each, REFERENCE being "REPOSITORY:<none>" for one without a tag; "built ID" for
# each that was built here from the checkout.
found=$(docker image ls --no-trunc --format 'image {{.Repository}}:{{.Tag}} {{.ID}}') || docker_is_silent
[ -z "$found" ] || printf '%s\n' "$found"
# One that was built here has a name that says so, or none any more.
case $found in
*'image mstdn-source/'* | *'<none>'*) docker image ls --no-trunc --filter label=org.mstdn.source --format 'built {{.ID}}' || docker_is_silent ;;
esac
exit 0
