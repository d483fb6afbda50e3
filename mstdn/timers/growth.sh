# Goes before scripts in which something grows for minutes; they define say. "tell_growth WHAT MOST PATH" says every quarter of a minute
# how large PATH is, and that it will have MOST MiB at most, until "tell_no_more".
tell_growth() {
    # Without the lock: whoever comes next shall not wait for the last look.
    while sleep 15 && kill -0 "$$" 2>/dev/null; do
        say "  $1: $(du -sm "$3" 2>/dev/null | cut -f 1) MiB of at most $2"
    done 9>&- &
    growing=$!
}
tell_no_more() {
    # With KILL: right after its start it still has the traps of the program itself, and TERM would run them.
    kill -s KILL "$growing" 2>/dev/null || true
    wait "$growing" 2>/dev/null || true
}
