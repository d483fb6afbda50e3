# Goes before scripts in which something grows for minutes; they define say. Every quarter of a minute, until "tell_no_more",
# "tell_growth WHAT MOST PATH" says how large PATH is, and that it will have MOST MiB at most, and "tell_count WHAT ALL COMMAND…" how many
# COMMAND has counted, and of how many.
tell_growth() { tell_count "$1" "at most $2" size_of "$3"; }
size_of() { echo "$(du -sm "$1" 2>/dev/null | cut -f 1) MiB"; }
tell_count() {
    # Without the lock: whoever comes next shall not wait for the last look.
    {
        what=$1 all=$2
        shift 2
        while sleep 15 && kill -0 "$$" 2>/dev/null; do
            say "  $what: $("$@" 2>/dev/null) of $all"
        done
    } 9>&- &
    growing=$!
}
tell_no_more() {
    # With KILL: right after its start it still has the traps of the program itself, and TERM would run them.
    kill -s KILL "$growing" 2>/dev/null || true
    wait "$growing" 2>/dev/null || true
}
