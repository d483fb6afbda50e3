# For each image reference after $1: "id reference ID" and "digest reference DIGEST" of what lies on the server;
# then "recorded reference DIGEST" for each line of the record $1.
record=$1
shift
if command -v docker >/dev/null && docker info >/dev/null 2>&1; then
    for reference in "$@"; do
        docker image inspect --format "id $reference {{.Id}}{{range .RepoDigests}}
digest $reference {{.}}{{end}}" -- "$reference" 2>/dev/null
    done | sed '/^$/d' # Docker prints an empty line for what it does not have.
fi
if [ -f "$record" ]; then
    sed 's/^/recorded /' "$record"
fi
exit 0
