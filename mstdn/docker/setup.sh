# How the engine that is here was set up, by the suite or by somebody else. $1: the suite's note of what it wrote to
# daemon.json; the other arguments are names of users.
configuration=/etc/docker/daemon.json note=$1
shift
for user in "$@"; do id -u "$user" >/dev/null 2>&1 || printf 'stranger %s\n' "$user"; done
[ -L "$configuration" ] && printf 'link %s\n' "$(readlink -f "$configuration")"
[ -f "$configuration" ] && printf 'configuration %s\n' "$(base64 -w 0 "$configuration")"
[ -f "$note" ] && printf 'noted %s\n' "$(base64 -w 0 "$note")"

# The options that the unit gives the daemon; ExecStart may name variables of its Environment or of a file.
properties=$(systemctl show --property ExecStart,Environment,EnvironmentFiles,FragmentPath,DropInPaths,ActiveState docker.service 2>/dev/null)
property() { printf '%s\n' "$properties" | sed -n "s/^$1=//p"; }
environment() {
    property Environment | tr ' ' '\n'
    property EnvironmentFiles | while read -r file _; do [ -f "$file" ] && cat "$file"; done
}
flags=$(
    for word in $(property ExecStart | sed -n 's/.*argv\[\]=[^ ]* *\(.*\) ; ignore_errors=.*/\1/p'); do
        case $word in
        \$*)
            name=$(printf '%s' "$word" | tr -cd 'A-Za-z0-9_')
            environment | sed -n "s/^$name=//p" | tail -n 1 | tr -d "\"'"
            ;;
        *) printf '%s\n' "$word" ;;
        esac
    done | tr '\n' ' '
)
printf 'flags %s\n' "$flags"

# Where the engine keeps its own: images and containers, with newer engines those of containerd too.
root=$(printf '%s\n' "$flags" | sed -n 's/.*--data-root[ =]\([^ ]*\).*/\1/p')
[ -n "$root" ] || [ ! -f "$configuration" ] || root=$(tr -d '\n' <"$configuration" | sed -n 's/.*"data-root"[[:space:]]*:[[:space:]]*"\([^"]*\)".*/\1/p')
printf 'root %s\n' "${root:=/var/lib/docker}"
disk() {
    existing=$1
    until [ -d "$existing" ]; do existing=$(dirname "$existing"); done
    printf 'disk %s %s %s\n' "$1" "$(df -Pk "$existing" | awk 'NR == 2 { print $4, $6 }')" "$(df -Pi "$existing" | awk 'NR == 2 && $2 > 0 { print $4 }')"
}
disk "$root"
containerd=$(sed -n "s/^root *= *[\"']\([^\"']*\).*/\1/p" /etc/containerd/config.toml 2>/dev/null)
containerd=${containerd:-/var/lib/containerd}
# It holds the images from Engine 29 on, and in older ones that were told so; here an engine is there with them or there is none.
if ! command -v dockerd >/dev/null || [ -n "$(ls -A "$containerd/io.containerd.content.v1.content/blobs" 2>/dev/null)" ]; then
    disk "$containerd"
fi
# docker info would tell as well, but not while the daemon fails to start because of it.
[ -e "$root/swarm/docker-state.json" ] && echo swarm

# A Compose of somebody's own goes before that of the packages.
for plugin in /root/.docker/cli-plugins /usr/local/lib/docker/cli-plugins /usr/local/libexec/docker/cli-plugins; do
    [ -x "$plugin/docker-compose" ] && printf 'compose %s %s\n' "$plugin/docker-compose" \
        "$("$plugin/docker-compose" docker-cli-plugin-metadata 2>/dev/null | sed -n 's/.*"Version": *"v\{0,1\}\([^"]*\)".*/\1/p')"
done

# The daemon judges its own configuration. One that started after the last change has done so already.
started=$(TZ=UTC systemctl show --property ActiveEnterTimestamp --value docker.service 2>/dev/null)
started=$(date -d "${started#* }" +%s 2>/dev/null)
changed() {
    [ "$(property ActiveState)" = active ] && [ -n "$started" ] || return 0
    for file in "$configuration" $(property FragmentPath) $(property DropInPaths) $(property EnvironmentFiles | cut -d ' ' -f 1); do
        [ -f "$file" ] && [ "$(stat -c %Y "$file")" -ge "$started" ] && return 0
    done
    return 1
}
# Not one with userns-remap, for which even --validate makes a user; it is refused anyway.
if [ -f "$configuration" ] && command -v dockerd >/dev/null && ! grep -q userns-remap "$configuration" && changed; then
    # shellcheck disable=SC2086 # one word for each option
    verdict=$(dockerd $flags --validate --config-file "$configuration" 2>&1) || printf 'invalid %s\n' "$(printf '%s' "$verdict" | tr '\n' ' ')"
fi
exit 0
