# Goes before the questions about the server's addresses. Those of Docker's bridges, of containers and of VPNs are not its own:
# no visitor comes by them. Awk's expression for the names of their interfaces:
# shellcheck disable=SC2034 # the scripts that follow use it
others='^(lo|docker[0-9]+|docker_gwbridge|br-[0-9a-f]+|veth.*|virbr.*|wg.*|tun[0-9]*|tap[0-9]*|tailscale.*|zt.*|nebula.*)$'
