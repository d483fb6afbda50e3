# Says which secrets the directory $1 holds and whether they have their form, never what they are.
# $2: PostgreSQL's data directory.
directory=$1 data=$2
file=$directory/instance.env
[ -s "$data/PG_VERSION" ] && echo database
if [ -e "$file" ]; then
    echo exists
    tail -n 1 "$file" | grep -qx '# complete' && echo complete
    printf 'access %s\n' "$(stat -c '0%a %u:%g' "$file")"
    while IFS= read -r line || [ -n "$line" ]; do
        case $line in '' | '#'*) continue ;; esac
        name=${line%%=*}
        case $name in
        SECRET_KEY_BASE) form='[0-9a-f]{128}' ;;
        ACTIVE_RECORD_ENCRYPTION_*) form='[A-Za-z0-9]{32}' ;;
        # A number in base64 without its leading zero bytes: of 256 keys one has 31 bytes instead of 32.
        VAPID_PRIVATE_KEY) form='[A-Za-z0-9_-]{43}=|[A-Za-z0-9_-]{42}==|[A-Za-z0-9_-]{40}' ;;
        VAPID_PUBLIC_KEY) form='[A-Za-z0-9_-]{87}=' ;;
        POSTGRES_PASSWORD | DB_PASS | REDIS_PASSWORD) form='[0-9a-f]{64}' ;;
        *) form= ;;
        esac
        if [ -z "$form" ]; then
            # It may be a secret that lost its name: nothing of it is shown.
            echo 'damaged'
        elif printf '%s\n' "${line#*=}" | grep -qxE "$form"; then
            printf 'good %s\n' "$name"
        else
            printf 'damaged %s\n' "$name"
        fi
    done <"$file"
fi
if [ -e "$directory/operator.env" ]; then
    printf 'operator %s %s\n' "$(sha256sum <"$directory/operator.env" | cut -d ' ' -f 1)" "$(stat -c '0%a %u:%g' "$directory/operator.env")"
fi
exit 0
