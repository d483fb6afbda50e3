# What a take-over would meet. $1: the directory that the operator named, "" for none; $2: mastodon_root; $3: the note of a take-over;
# $4: the site's names, with spaces between; the rest: secrets that Mastodon's commands make, NAME=EXPRESSION each. No secret is printed.
#
# "noted KEY VALUE" of the note; "ours" if an instance of the suite is here, "keys same|other" if its keys are; "occupied"
# if its database directory has a database, "mounted" if something is mounted there. "candidate PROJECT DIRECTORY DOMAIN" of each Mastodon that is not the suite's. Of the one that is meant:
# "container ID NAME SERVICE STATUS RESTART ROLE", "variable JSON" (NAME=VALUE), "brought NAME" of what may be a secret, "good NAME" and
# "odd NAME" of those with an expression; "image", "version"; "database VERSION BYTES", "extension NAME"; "redis VERSION BYTES";
# "refused postgres|redis WORDS"; "media KIB UID SAME SOURCE"; "free KIB"; then "certificates ID DIRECTORY" of each old proxy, and
# "certificate NAME DIRECTORY good|WORDS". Fields are divided by tabs.
from=$1 root=$2 note=$3 names=$4
shift 4
tab='	'
[ ! -f "$note" ] || awk '{ print "noted " $0 }' "$note"
[ ! -s "$root/state/installed.env" ] || echo ours
[ ! -s "$root/database/PG_VERSION" ] || echo occupied
! mountpoint -q "$(readlink -m -- "$root/database")" 2>/dev/null || echo mounted
existing=$(readlink -m -- "$root")
until [ -e "$existing" ]; do existing=$(dirname "$existing"); done
printf 'free %s\n' "$(df -Pk "$existing" | awk 'NR == 2 { print $4 }')"
list_containers
[ -n "$containers" ] || exit 0
ids=$(printf '%s\n' "$containers" | cut -d '|' -f 1)
# shellcheck disable=SC2086 # one word for each container
found=$(docker inspect --format '{{.Id}}	{{.Name}}	{{with index .Config.Labels "com.docker.compose.project"}}{{.}}{{else}}-{{end}}	{{with index .Config.Labels "com.docker.compose.project.working_dir"}}{{.}}{{else}}-{{end}}	{{with index .Config.Labels "com.docker.compose.service"}}{{.}}{{else}}-{{end}}	{{.State.Status}}	{{with .HostConfig.RestartPolicy.Name}}{{.}}{{else}}no{{end}}	{{with index .Config.Labels "com.docker.compose.oneoff"}}{{.}}{{else}}False{{end}}	{{$domain := "-"}}{{range .Config.Env}}{{if eq (index (split . "=") 0) "LOCAL_DOMAIN"}}{{$domain = .}}{{end}}{{end}}{{$domain}}	{{json .Config.Cmd}}{{json .Config.Entrypoint}}	{{range .Mounts}}{{if eq .Destination "/etc/nginx/certs"}}{{.Source}}{{end}}{{end}}' $ids 2>/dev/null) ||
    docker_is_silent
real=$(readlink -m -- "$root")
# The suite's own are in its own directory. One of before Compose 1.25 does not say where it is.
candidates=$(printf '%s\n' "$found" | awk -F "$tab" -v OFS="$tab" -v root="$root" -v real="$real" '
    $9 != "-" && $3 != "-" && $8 == "False" && !($3 == "mstdn" && ($4 == root || $4 == real)) { sub(/^LOCAL_DOMAIN=/, "", $9); print $3, $4, $9 }' | sort -u)
[ -z "$candidates" ] || printf '%s\n' "$candidates" | sed 's/^/candidate /'
printf '%s\n' "$found" | awk -F "$tab" -v OFS="$tab" -v root="$root" '$11 != "" && $3 != "proxy" { print "certificates " $1, $11 }'

project=$(sed -n 's/^project //p' "$note" 2>/dev/null)
if [ -z "$project" ] && [ -n "$from" ]; then
    wanted=$(readlink -m -- "$from")
    project=$(printf '%s\n' "$candidates" | awk -F "$tab" -v from="$from" -v real="$wanted" '$2 == from || $2 == real { print $1; exit }')
elif [ -z "$project" ] && [ -n "$candidates" ] && [ "$(printf '%s\n' "$candidates" | wc -l)" = 1 ]; then
    project=${candidates%%"$tab"*}
fi
[ -n "$project" ] || exit 0
printf 'project %s\n' "$project"
members=$(printf '%s\n' "$found" | awk -F "$tab" -v project="$project" '$3 == project && $8 == "False"')
# Its web has what all of it is told.
web=$(printf '%s\n' "$members" | awk -F "$tab" '
    $9 == "-" || $10 ~ /sidekiq|streaming|npm|yarn|nginx|postgres|redis/ { next }
    $5 == "web" || $10 ~ /puma|rails/ { print $1; found = 1; exit }
    first == "" { first = $1 }
    END { if (!found) print first }')
variables() { docker inspect --format '{{range .Config.Env}}{{println .}}{{end}}' "$1" 2>/dev/null; }
value_of() { printf '%s\n' "$told" | sed -n "s/^$1=//p" | head -n 1; }
told=$([ -z "$web" ] || variables "$web")
database=$(value_of DB_HOST) redis=$(value_of REDIS_HOST)
printf '%s\n' "$members" | awk -F "$tab" -v OFS="$tab" -v db="$database" -v redis="$redis" '
    { sub(/^\//, "", $2); role = "other" }
    # Guides give .env.production to all of them, and somebody may have a program of his own among them.
    $9 != "-" && $10 !~ /nginx|postgres|redis/ { role = "web" }
    $10 ~ /nginx/ { role = "nginx" }
    $10 ~ /streaming|npm|yarn/ { role = "streaming" }
    $10 ~ /sidekiq/ { role = "sidekiq" }
    $5 == db || $2 == db { role = "db" }
    $5 == redis || $2 == redis { role = "redis" }
    { print "container " $1, $2, $5, $6, $7, role }'
[ -n "$web" ] || exit 0
db=$(printf '%s\n' "$members" | awk -F "$tab" -v db="$database" '{ sub(/^\//, "", $2) } ($5 == db || $2 == db) && $6 == "running" { print $1; exit }')
store=$(printf '%s\n' "$members" | awk -F "$tab" -v redis="$redis" '{ sub(/^\//, "", $2) } ($5 == redis || $2 == redis) && $6 == "running" { print $1; exit }')

# What its image has by itself tells nothing of the instance.
by_itself=$(docker image inspect --format '{{range .Config.Env}}{{json .}}{{"\n"}}{{end}}' "$(docker inspect --format '{{.Image}}' "$web")" 2>/dev/null)
known=$(for each; do echo "${each%%=*}"; done)
docker inspect --format '{{range .Config.Env}}{{json .}}{{"\n"}}{{end}}' "$web" | while IFS= read -r line; do
    name=${line#\"} name=${name%%=*}
    case $line in
    "\"$name=\"" | '') continue ;;
    esac
    if printf '%s\n' "$by_itself" | grep -qxF -e "$line" || printf '%s\n' "$known" | grep -qx -e "$name"; then continue; fi
    case $name in
    *SECRET* | *PASS* | *_KEY | *_KEY_* | *TOKEN* | *_URL | *_HEADERS | http*_proxy | HTTP*_PROXY)
        case $name in
        S3_KEY_PREFIX | HCAPTCHA_SITE_KEY) printf 'variable %s\n' "$line" ;;
        *) printf 'brought %s\n' "$name" ;;
        esac
        ;;
    *) printf 'variable %s\n' "$line" ;;
    esac
done
for each; do
    name=${each%%=*} value=$(value_of "${each%%=*}")
    [ -n "$value" ] || continue
    if printf '%s\n' "$value" | grep -qxE -e "${each#*=}"; then echo "good $name"; else echo "odd $name"; fi
done
if [ -s "$root/secrets/instance.env" ]; then
    # The one that is always taken over.
    key=$(value_of ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY)
    if [ -n "$key" ] && sed -n 's/^ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY=//p' "$root/secrets/instance.env" | { read -r ours && [ "$ours" = "$key" ]; }; then
        echo 'keys same'
    else
        echo 'keys other'
    fi
fi
printf 'image %s\n' "$(docker inspect --format '{{.Config.Image}}' "$web")"
for place in /opt/mastodon /mastodon; do
    release=$(docker cp "$web:$place/lib/mastodon/version.rb" - 2>/dev/null | tar -xO 2>/dev/null | awk '
        $1 == "def" { what = $2 }
        /^ *[0-9]+ *$/ { number[what] = $1 }
        END { if ("major" in number && "minor" in number && "patch" in number) print "v" number["major"] "." number["minor"] "." number["patch"] }')
    [ -z "$release" ] || break
done
printf 'version %s\n' "$release"

if [ -n "$db" ]; then
    user=$(value_of DB_USER) name=$(value_of DB_NAME) PGPASSWORD=$(value_of DB_PASS)
    export PGPASSWORD PGOPTIONS='-c default_transaction_read_only=on'
    answer=$(docker exec -i -e PGPASSWORD -e PGOPTIONS "$db" psql --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 --username "${user:-mastodon}" --dbname "${name:-mastodon_production}" 2>&1 <<'SQL'
SELECT 'database ' || current_setting('server_version') || ' ' || pg_database_size(current_database());
SELECT 'extension ' || extname FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY 1;
SELECT 'rows ' || count(*) FROM schema_migrations;
SQL
    ) && printf '%s\n' "$answer" | sed -n -e 's/^database \([0-9.]*\).* \([0-9]*\)$/database \1 \2/p' -e '/^extension /p' ||
        printf 'refused postgres %s\n' "$(printf '%s' "$answer" | tr '\n' ' ')"
fi
if [ -n "$store" ]; then
    REDISCLI_AUTH=$(value_of REDIS_PASSWORD)
    export REDISCLI_AUTH
    [ -n "$REDISCLI_AUTH" ] || unset REDISCLI_AUTH
    answer=$(docker exec -e REDISCLI_AUTH "$store" redis-cli INFO 2>&1 | tr -d '\r')
    printf '%s\n' "$answer" | awk -F : '$1 == "redis_version" { version = $2 } $1 == "used_memory" { bytes = $2 } END { if (version != "") print "redis " version " " bytes }' | grep . ||
        printf 'refused redis %s\n' "$(printf '%s' "$answer" | head -n 2 | tr '\n' ' ')"
fi
media=$(docker inspect --format '{{range .Mounts}}{{.Destination}}	{{.Source}}{{"\n"}}{{end}}' "$web" | awk -F "$tab" '$1 ~ /\/public\/system$/ { print $2; exit }')
if [ -n "$media" ] && [ -d "$media" ]; then
    same=other
    [ "$(stat -c %d "$media")" != "$(stat -c %d "$existing")" ] || same=same
    printf 'media %s	%s	%s	%s\n' "$(du -sk "$media" 2>/dev/null | cut -f 1)" "$(stat -c %u:%g "$media")" "$same" "$media"
fi
# shellcheck disable=SC2086 # one word for each name
set -- $names
printf '%s\n' "$found" | awk -F "$tab" '$11 != "" && $3 != "proxy" { print $11 }' | sort -u | while IFS= read -r directory; do
    for name; do
        [ -e "$directory/$name.crt" ] || [ -L "$directory/$name.crt" ] || continue
        verdict='is there, but openssl is not yet, which would look at it'
        if command -v openssl >/dev/null; then
            if ! openssl x509 -noout -in "$directory/$name.crt" 2>/dev/null; then
                verdict='cannot be read'
            elif [ "$(openssl x509 -noout -pubkey -in "$directory/$name.crt" 2>/dev/null)" != "$(openssl pkey -pubout -in "$directory/$name.key" 2>/dev/null)" ]; then
                verdict='has another key than the one beside it'
            elif ! openssl x509 -noout -checkhost "$name" -in "$directory/$name.crt" 2>/dev/null | grep -q 'does match'; then
                verdict='is for another name'
            elif ! openssl x509 -noout -checkend 604800 -in "$directory/$name.crt" >/dev/null 2>&1; then
                verdict='ends within a week'
            else
                verdict=good
            fi
        fi
        printf 'certificate %s	%s	%s\n' "$name" "$directory" "$verdict"
    done
done
exit 0
