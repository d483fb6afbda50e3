# One line "network JSON" for each argument that is a network of Docker Engine.
found=$(docker network inspect --format 'network {"name":{{json .Name}},"id":{{json .Id}},"driver":{{json .Driver}},"internal":{{json .Internal}},"ipv6":{{json .EnableIPv6}}}' "$@" 2>&1)
case $found in
*'no such network'* | *'not found'*) ;;
*'network {'*) ;;
*) docker_is_silent ;;
esac
printf '%s\n' "$found" | grep '^network {'
exit 0
