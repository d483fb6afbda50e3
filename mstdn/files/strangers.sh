# Of each argument "RIGHTS UID:GID DIRECTORY": "stranger DIRECTORY PATH" if something in it, not deeper than two levels, belongs to
# another user than UID or does not give these rights (octal). One is enough: who changes the owner of a directory with all that is
# in it changes what lies at its top, and uploads are too many to be looked at.
for each in "$@"; do
    rights=${each%% *} rest=${each#* }
    owner=${rest%% *} directory=${rest#* }
    # The directory may be a link to another disk, whose file system has a place of its own for what was found in repairs, for
    # snapshots (.snapshots) or a dustbin.
    found=$(find -H "$directory" -mindepth 1 -maxdepth 2 '(' -path "$directory/.*" -o -name lost+found ')' -prune -o ! -type l '(' ! -uid "${owner%:*}" -o ! -perm "-$rights" ')' -print -quit 2>/dev/null)
    [ -z "$found" ] || printf 'stranger %s %s\n' "$directory" "$found"
done
exit 0
