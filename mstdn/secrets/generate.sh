# Makes the secrets after $2, which are missing, NAME=MAKER each, and adds them to $2/instance.env: with the commands of the
# image $1 where the maker is mastodon, of random bytes where it is random.
# Nothing secret is an argument or reaches a log: --log-driver none keeps the container's output out of Docker's.
set -eu
umask 077
image=$1 directory=$2
shift 2
file=$directory/instance.env
work=$directory/.making
rm -rf "$work"
mkdir -p "$work"
trap 'rm -rf "$work"' EXIT
case " $* " in
*=mastodon\ *)
    docker run --rm --network none --log-driver none --read-only --tmpfs /tmp --tmpfs /opt/mastodon/tmp:uid=991,gid=991 \
        --cap-drop ALL --security-opt no-new-privileges "$image" sh -ec '
        printf SECRET_KEY_BASE=
        bin/rails secret | grep -xE "[0-9a-f]{128}"
        bin/rails db:encryption:init
        bin/rails mastodon:webpush:generate_vapid_key' >"$work/printed"
    ;;
*) : >"$work/printed" ;;
esac
tr -d '\r' <"$work/printed" >"$work/made"
for each in "$@"; do
    case $each in
    *=random) printf '%s=%s\n' "${each%%=*}" "$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')" >>"$work/made" ;;
    esac
done
: >"$work/new"
[ ! -e "$file" ] || grep -v '^# complete$' "$file" >>"$work/new" || true
for each in "$@"; do
    name=${each%%=*}
    # A run whose connection broke may have made it while this one waited.
    if grep -q "^$name=" "$work/new"; then
        continue
    fi
    if ! grep -E "^$name=." "$work/made" >>"$work/new"; then
        echo "The image $image did not print $name: is it really Mastodon's? Nothing was written." >&2
        exit 1
    fi
done
echo '# complete' >>"$work/new"
chown 0:0 "$work/new"
chmod 0600 "$work/new"
sync "$work/new"
mv -fT "$work/new" "$file"
