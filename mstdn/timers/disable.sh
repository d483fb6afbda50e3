# Stops the units whose files are the arguments and takes them out of systemd; a program that is at work comes to its end.
set -eu
for path in "$@"; do
    case $path in
    *.timer)
        systemctl disable --quiet --now "${path##*/}" 2>/dev/null || true
        # The time of its last run, which systemd would keep.
        rm -f "/var/lib/systemd/timers/stamp-${path##*/}"
        ;;
    *) systemctl disable --quiet "${path##*/}" 2>/dev/null || true ;;
    esac
done
rm -f -- "$@"
systemctl daemon-reload
# systemd remembers a unit that failed even without its file.
for path in "$@"; do systemctl reset-failed "${path##*/}" 2>/dev/null || true; done
