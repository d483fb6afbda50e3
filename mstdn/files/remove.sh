# Removes the files and directories that are the arguments.
set -eu
rm -rf -- "$@"
