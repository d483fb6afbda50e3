# What $1 says was installed, and whether the database $2 is there.
[ -f "$1" ] && cat "$1"
if [ -s "$2/PG_VERSION" ]; then
    # The first server that starts leaves postmaster.opts; databases other than PostgreSQL's own have numbers from 16384.
    if [ ! -e "$2/postmaster.opts" ] && ! ls -d "$2"/base/?????* >/dev/null 2>&1; then
        echo DATABASE=unfinished
    else
        echo DATABASE=present
    fi
fi
exit 0
