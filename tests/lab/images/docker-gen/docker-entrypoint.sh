#!/bin/bash
# What nginx-proxy's entrypoint does before docker-gen: check the socket, find resolvers, fill in the label.
set -e

fail_without_socket() {
    local socket="${DOCKER_HOST#unix://}"
    if [[ $DOCKER_HOST == unix://* && ! -S $socket ]]; then
        echo "ERROR: you need to share your Docker host socket with a volume at $socket" >&2
        exit 1
    fi
}

find_resolvers() {
    if [[ -n ${RESOLVERS:-} ]]; then
        return
    fi
    local word address found=()
    while read -r word address _; do
        if [[ $word == nameserver ]]; then
            [[ $address == *:* ]] && address="[$address]"
            # nginx cannot name the interface that a link-local resolver belongs to.
            [[ $address == *%* ]] || found+=("$address")
        fi
    done </etc/resolv.conf
    if [[ ${#found[@]} -gt 0 ]]; then
        export RESOLVERS="${found[*]}"
    else
        echo 'Warning: unable to determine DNS resolvers for nginx' >&2
    fi
}

if [[ $* =~ 'docker-gen -watch' ]]; then
    echo "Info: running nginx-proxy version ${NGINX_PROXY_VERSION}"
    fail_without_socket
    find_resolvers
    echo 'Skipping Diffie-Hellman parameters setup.'
    if [[ -z $TRUST_DOWNSTREAM_PROXY ]]; then
        echo 'Warning: TRUST_DOWNSTREAM_PROXY is not set; defaulting to "true". Without a trusted proxy in front, set it to "false".' >&2
    fi
    # The default command names the label by its variable, which no shell has expanded.
    arguments=()
    for argument; do
        arguments+=("${argument//\$NGINX_CONTAINER_LABEL/$NGINX_CONTAINER_LABEL}")
    done
    set -- "${arguments[@]}"
fi

exec "$@"
