#!/bin/sh
# What a deployed server is, one thing in each line; all of them together are what a drift may not leave changed. First each
# container's ID and start time ("container"), then what it is made with ("is"), networks, images, files, and the machine.
set -eu
name='{{index .Config.Labels "com.docker.compose.project"}}/{{index .Config.Labels "com.docker.compose.service"}}'
health='{{with index .State "Health"}}{{.Status}}{{end}}'
# shellcheck disable=SC2016 # these are Docker's variables, not the shell's
networks='{{range $name, $network := .NetworkSettings.Networks}} {{$name}} {{$network.Aliases}}{{end}}'
limits='{{.HostConfig.RestartPolicy}} {{.HostConfig.Memory}} {{.HostConfig.PidsLimit}}'
# A container that makes room for another leaves it another number.
docker ps --all --quiet | xargs docker inspect --format "container $name {{.Id}} {{.State.StartedAt}}
is $name {{.State.Status}} $health {{.Image}} $limits$networks" | sed -E 's/(mstdn|proxy)-([a-z-]+)-[0-9]+/\1-\2/g'
docker network ls --format 'network {{.Name}} {{.Driver}} {{.Internal}}'
docker image ls --no-trunc --format 'image {{.Repository}}:{{.Tag}} {{.ID}}'

cd /srv
# What changes while the instance lives is looked at from outside only. Where the ACME client puts its answers, it leaves folders.
find mastodon proxy /etc/docker /etc/apt/keyrings /etc/apt/sources.list.d /etc/sysctl.d /etc/fstab /swap.d \
    -path 'proxy/html/*' -prune -o \( -path mastodon/database -o -path mastodon/redis -o -path mastodon/media -o -path mastodon/scratch \
    -o -path mastodon/source -o -path 'mastodon/assets/v*' \) -prune -printf 'file %p %y %m %U:%G %l\n' -o \
    -printf 'file %p %y %m %U:%G %l\n' | sed 's| mastodon| /srv/mastodon|; s| proxy| /srv/proxy|'
find /srv/mastodon/compose.yaml /srv/mastodon/.env /srv/mastodon/*.env /srv/mastodon/nginx /srv/mastodon/postgres \
    /srv/mastodon/secrets /srv/mastodon/state /srv/proxy /etc/docker /etc/apt/keyrings /etc/apt/sources.list.d /etc/fstab \
    /etc/sysctl.d -type f -not -name making -not -name mounted -not -path /srv/proxy/conf.d/default.conf \
    -exec sha256sum {} + | sed 's/^/sum /'
# Which address the engine gives a container depends on who came first.
echo "sum $(sed -E 's/[0-9]+(\.[0-9]+){3}/ADDRESS/g' /srv/proxy/conf.d/default.conf | sha256sum | cut -d ' ' -f 1)  /srv/proxy/conf.d/default.conf"

echo "checkout $(git -c safe.directory=/srv/mastodon/source -C /srv/mastodon/source rev-parse HEAD)"
awk '$2 == "file" { print "swap", $1, $3 }' /proc/swaps
echo "swappiness $(cat /proc/sys/vm/swappiness)"
echo "forwarding $(cat /proc/sys/net/ipv4/ip_forward)"
echo "docker $(systemctl is-enabled docker.service) $(systemctl is-active docker.service docker.socket containerd.service | tr '\n' ' ')"
echo "group $(getent group docker)"
# shellcheck disable=SC2012 # there are no strange names here
ls -l /usr/local/lib/mstdn/* /etc/systemd/system/mstdn-* | awk '{ print "file", $NF, $1, $3, $4 }'
sha256sum /usr/local/lib/mstdn/* /etc/systemd/system/mstdn-* | sed 's/^/sum /'
# The order in a set means nothing.
echo "firewall $(nft list table inet mstdn | tr ',{}' '\n' | tr -d ' \t' | sort | sha256sum)"
echo "firewall's unit $(systemctl is-enabled mstdn-firewall.service) $(systemctl is-active mstdn-firewall.service)"
echo "socket's unit $(systemctl is-enabled mstdn-socket.service)"
