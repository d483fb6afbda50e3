# Makes the comma-separated users $1 the members of the group docker.
set -eu
for user in $(echo "$1" | tr , ' '); do
    if ! id -u "$user" >/dev/null 2>&1; then
        echo "docker_users names $user, but this server has no such user." >&2
        exit 1
    fi
done
gpasswd --members "$1" docker >/dev/null
