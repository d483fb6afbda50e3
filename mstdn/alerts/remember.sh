# What is new, from what was known and what is wrong now, so that each incident is told once, and its end once. A thing has to be
# wrong in two rounds before it is told, and right in two before it is over: what restarts by itself wakes nobody.
# $1: the file of what was known, $2: what is wrong as judge.sh says it, $3: seconds since the epoch, $4: the channels by which it
# is told. The new file comes on standard output: "incident KEY STATE ROUNDS SINCE TEXT" with STATE seen, open or better; "pending
# CHANNEL TEXT" of what is still to be told, "failed CHANNEL SINCE WHY" as it was.
awk -v now="$3" -v channels="$4" -v rounds=2 '
    function after(seconds) { return seconds >= 172800 ? int(seconds / 86400) " days" : seconds >= 7200 ? int(seconds / 3600) " hours" : int(seconds / 60) " minutes" }
    function news(text,   list, n, i) { n = split(channels, list, " "); for (i = 1; i <= n; i++) pending[++told] = "pending " list[i] " " text }
    function is_unknown(key,   each) { for (each in unknown) if (index(key, each) == 1) return 1; return 0 }
    function rest(line, words,   i) { for (i = 0; i < words; i++) sub(/^[^ ]* ?/, "", line); return line }
    FILENAME == ARGV[1] && $1 == "incident" { order[++known] = $2; state[$2] = $3; seen[$2] = $4; since[$2] = $5; text[$2] = rest($0, 5); next }
    FILENAME == ARGV[1] && ($1 == "pending" || $1 == "failed") { if (index(" " channels " ", " " $2 " ")) kept[++keeping] = $0; next }
    FILENAME == ARGV[1] { next }
    /^\?/ { unknown[substr($0, 2)] = 1; next }
    {
        key = $0; sub(/\t.*/, "", key); gsub(/ /, "_", key)
        what = $0; sub(/^[^\t]*\t/, "", what)
        if (key in now_wrong) next
        now_wrong[key] = 1
        if (!(key in state)) { order[++known] = key; state[key] = "seen"; seen[key] = 0; since[key] = now }
        text[key] = what
        if (state[key] == "better") { state[key] = "open"; seen[key] = rounds }
        else if (state[key] == "seen" && ++seen[key] >= rounds) { state[key] = "open"; news("WRONG: " what) }
    }
    END {
        for (i = 1; i <= known; i++) {
            key = order[i]
            if (!(key in now_wrong) && !is_unknown(key)) {
                if (state[key] == "seen") continue
                seen[key] = state[key] == "better" ? seen[key] + 1 : 1
                state[key] = "better"
                if (seen[key] >= rounds) { news("MENDED after " after(now - since[key]) ": " text[key]); continue }
            }
            print "incident", key, state[key], seen[key], since[key], text[key]
        }
        for (i = keeping > 200 ? keeping - 199 : 1; i <= keeping; i++) print kept[i]
        for (i = 1; i <= told; i++) print pending[i]
    }' "$1" "$2"
