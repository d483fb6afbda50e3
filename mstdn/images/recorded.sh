# The lines of the record $1, which say what each tag stood for at its first pull.
[ -f "$1" ] && awk '{ print "recorded " $0 }' "$1"
exit 0
