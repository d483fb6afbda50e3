# What is wrong, from what was seen on standard input: "KEY<tab>TEXT" for each thing, and "?PREFIX" where nothing can be said of the
# keys that begin so. How much is too much the settings have from mstdn/status/rules.py, and a test holds that both judges say the
# same. "now SECONDS" and "release NAME" are among what was seen, and "looked PART" of each part that was seen to its end.
# shellcheck source=/dev/null
. /usr/local/lib/mstdn/settings
awk -v backups="$ALERT_BACKUPS" -v backup_seconds="$ALERT_BACKUP_SECONDS" -v drill_seconds="$ALERT_DRILL_SECONDS" \
    -v certificate_seconds="$ALERT_CERTIFICATE_SECONDS" -v disk_percent="$ALERT_DISK_PERCENT" -v least_kib="$ALERT_DISK_LEAST_KIB" \
    -v inodes_percent="$ALERT_INODES_PERCENT" -v slow="$ALERT_QUEUE_SLOW_SECONDS" -v stuck="$ALERT_QUEUE_STUCK_SECONDS" \
    -v queues="$ALERT_QUEUES" -v services="$ALERT_SERVICES" -v releases="$ALERT_RELEASES" '
    function wrong(key, text) { print key "\t" text }
    function unknown(prefix) { print "?" prefix }
    function days(seconds) { return int(seconds / 86400) }
    function rest(words,   text, i) { text = $0; for (i = 0; i < words; i++) sub(/^[^ ]* ?/, "", text); return text }
    function is_newer(one, other,   a, b, i) {
        if (one ~ /[a-z]/ || !other) return 0
        split(one, a, "."); split(other, b, ".")
        for (i = 1; i <= 3; i++) if (a[i] + 0 != b[i] + 0) return a[i] + 0 > b[i] + 0
        return 0
    }
    $1 == "looked" { looked[$2] = 1 }
    $1 == "unknown" && !silent { silent = rest(1) }
    $1 == "now" { now = $2 }
    $1 == "release" { release = $2; sub(/^v/, "", release) }
    $1 == "disk" {
        inodes = $NF; available = $(NF - 1); size = $(NF - 2); sub(/%$/, "", inodes)
        mount = rest(1); sub(/ +[^ ]+ +[^ ]+ +[^ ]+$/, "", mount)
        used = size > 0 ? 100 - 100 * available / size : 0
        if (used > disk_percent || available < least_kib) wrong("disk/" mount, sprintf("The disk at %s is %d %% full: %d MiB are free.", mount, used, available / 1024))
        else if (inodes ~ /^[0-9]+$/ && inodes + 0 >= inodes_percent) wrong("disk/" mount, sprintf("The disk at %s holds so many files that %d %% of its inodes are in use.", mount, inodes))
    }
    $1 == "unit" {
        if ($4 == "failed") { name = $2; sub(/^mstdn-/, "", name); sub(/\.[a-z]*$/, "", name); failed[name] = $2 " failed (" $5 ")." }
        else if ($2 ~ /\.timer$/ && $3 == "loaded" && $4 != "active") wrong("timer/" $2, $2 " does not wait for its time.")
    }
    $1 == "noted" && $2 == "backup" && $3 == "time" { backup = $4 }
    $1 == "noted" && $2 == "restoring" { restoring = 1 }
    $1 == "noted" && $2 ~ /-result$/ {
        name = $2; sub(/-result$/, "", name)
        if ($3 == "result" && NF > 3) result[name] = $4
        if ($3 == "why") why[name] = rest(3)
        if ($3 == "time") time[name] = $4
    }
    $1 == "container" && $4 != "True" {
        name = $2 "/" $3
        state = $5 != "running" ? $5 : $6 == "none" ? "running" : $6
        if (!count[name]++) states[name] = state
    }
    $1 == "silent" && $2 == "db" { wrong("database", "PostgreSQL runs and does not answer."); no_database = 1 }
    $1 == "silent" && $2 == "redis" { wrong("redis", "Redis runs and does not answer."); no_redis = 1 }
    $1 == "pending" { pending++; first = first ? first : $2 }
    $1 == "update" && $3 == "t" { urgent[$2] = 1 }
    $1 == "writes" && $2 != "ok" { no_writes = 1 }
    $1 == "jobs" { asked = 1; processes = $4 }
    $1 == "queue" { waiting[$2] = $3; since[$2] = $4 >= 100000000000 ? $4 / 1000 : $4 }
    $1 == "network" { network[$2] = $3; for (i = 4; i <= NF; i++) if ($i !~ /:/) subnet[$2] = subnet[$2] " " $i }
    $1 == "forwarding" { forwarding = $2 }
    $1 == "unmanaged" && $2 == 4 { unmanaged = 1 }
    $1 == "rule" && $2 == 4 {
        text = rest(3); plain = text; gsub(/"/, " ", plain); rules++
        place[rules] = $3; words[rules] = " " plain " "
        if ($3 == "filter" && text ~ /^-A FORWARD / && text ~ /-j DOCKER/ || $3 == "filter-FORWARD" && text ~ /vmap/) leads = 1
    }
    $1 == "certificate" {
        if ($3 == "none") wrong("certificate/" $2, $2 " is served without a certificate of its own.")
        else {
            least = ($4 - $3) / 3 < certificate_seconds ? ($4 - $3) / 3 : certificate_seconds
            if (!now) unknown("certificate/" $2)
            else if (now > $4) wrong("certificate/" $2, "The certificate of " $2 " has ended.")
            else if ($4 - now < least) wrong("certificate/" $2, sprintf("The certificate of %s ends in %d days and was not renewed.", $2, days($4 - now)))
        }
    }
    END {
        # What never comes to its end would be neither wrong nor right for ever, and nobody would be told.
        n = split("machine|containers|parts|networks|certificates", parts, "|")
        split("the machine|the containers|database and queues|the firewall|the certificates", called, "|")
        for (i = 1; i <= n; i++) if (!looked[parts[i]])
            wrong("look/" parts[i], "The watcher cannot look at " called[i] ": alerts-" parts[i] " does not come to its end within a minute.")
        if (!looked["machine"]) { unknown("disk/"); unknown("timer/"); unknown("task/"); unknown("backup"); unknown("drill"); unknown("restore") }
        for (name in failed) wrong("task/" name, result[name] != "ok" && why[name] ? "The last " name " did not succeed: " why[name] : failed[name])
        for (name in result) if (!(name in failed) && result[name] != "ok" && (backups == "yes" || name !~ /^(backup|drill)$/) && (restoring || name != "restore"))
            wrong("task/" name, "The last " name " did not succeed: " (why[name] ? why[name] : result[name]))
        if (restoring) wrong("restore", "A restore was begun and is not finished; until then no backup is made.")
        if (backups == "yes" && looked["machine"]) {
            if (!backup) wrong("backup", "No backup was made yet.")
            else if (now - backup > backup_seconds) wrong("backup", sprintf("The last backup is %d days old.", days(now - backup)))
            if (result["drill"] == "ok" && now - time["drill"] > drill_seconds) wrong("drill", sprintf("That a backup can be restored was proven %d days ago.", days(now - time["drill"])))
        }
        if (silent) wrong("engine", "The containers cannot be looked at: " silent ".")
        if (silent || !looked["containers"] || !looked["parts"]) { unknown("container/"); no_database = no_redis = 1; unknown("database"); unknown("redis") }
        else {
            n = split(services, wanted, " ")
            for (i = 1; i <= n; i++) {
                state = (wanted[i] in states) ? states[wanted[i]] : "missing"
                if (count[wanted[i]] > 1) state = state " (" count[wanted[i]] " containers)"
                split(wanted[i], half, "/")
                if (state == "starting") unknown("container/" wanted[i])
                else if (state != "healthy" && state != "running") wrong("container/" wanted[i], half[2] " of " half[1] " is " state ".")
            }
            if (states["mstdn/db"] != "healthy") { no_database = 1; unknown("database") }
            if (states["mstdn/redis"] != "healthy") { no_redis = 1; unknown("redis") }
            if (states["mstdn/web"] !~ /^(healthy|starting|unhealthy)$/) unknown("migrations")
        }
        if (no_database) { unknown("migrations"); unknown("release/") }
        else {
            if (pending) wrong("migrations", pending " migrations of the release that runs have not run, such as " first ".")
            for (each in urgent) if (releases == "yes" && is_newer(each, release)) wrong("release/" each, "Mastodon v" each " is out and mends security; v" release " is installed.")
        }
        if (no_redis || !asked || !now) { unknown("queue/"); unknown("sidekiq"); unknown("writes") }
        else {
            if (no_writes) wrong("writes", "Redis cannot write to its disk, and then takes no more jobs: nothing is posted or delivered.")
            if (!processes) wrong("sidekiq", "No Sidekiq is at work: posts go nowhere.")
            for (each in waiting) {
                waits = since[each] == "-" ? 0 : now - since[each]
                if (waits >= stuck || waits >= slow && index(" " queues " ", " " each " "))
                    wrong("queue/" each, sprintf("%d jobs wait in the queue %s, the oldest for %d minutes.", waiting[each], each, waits / 60))
            }
        }
        if (silent || !looked["networks"]) unknown("rules/")
        else if (!unmanaged) {
            if (forwarding == "0") wrong("rules/forwarding", "net.ipv4.ip_forward is 0: the kernel passes nothing on to containers or from them.")
            for (each in network) {
                if (!subnet[each]) continue
                out = filtered = 0
                for (i = 1; i <= rules; i++) if (index(words[i], " " network[each] " ")) {
                    if (place[i] ~ /^filter/) filtered = 1
                    n = split(subnet[each], mine, " ")
                    for (k = 1; k <= n; k++) if (place[i] ~ /^nat/ && tolower(words[i]) ~ /masquerade/ && index(words[i], " " mine[k] " ")) out = 1
                }
                if (!out) wrong("rules/" each, "The network " each " has no way out: the rule of Docker for its addresses is gone from the firewall.")
                else if (!filtered || !leads) wrong("rules/" each, "The network " each " has no filter: the rules of Docker for it are gone from the firewall.")
            }
        }
        if (!looked["certificates"]) unknown("certificate/")
    }' | sort -u
