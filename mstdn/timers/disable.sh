# Stops the units whose files are the arguments and takes them out of systemd; a program that is at work comes to its end.
set -eu
for path in "$@"; do
    case $path in
    *.timer) systemctl disable --quiet --now "${path##*/}" 2>/dev/null || true ;;
    esac
done
rm -f -- "$@"
systemctl daemon-reload
