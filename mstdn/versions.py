"""
Every release and image that is named anywhere, once. A line with a `renovate:` comment is kept fresh by that bot.

Tests, the lab and texts take them from here, so a newer patch is one line (and `make docs`). A newer minor release of
Mastodon also has migrations, of which the lab's stand-in has to know: tests/lab/images/mastodon/releases.py. What may
follow what is a rule: mstdn/preflight/releases.py.
"""

# renovate: datasource=github-releases depName=mastodon/mastodon
MASTODON = "v4.7.6"

# The newest patch of each maintained minor release, as known on 2026-11-19 (github.com/mastodon/mastodon/releases).
# Only named in advice: any newer patch is as good.
NEWEST_PATCHES = ("v4.4.27", "v4.5.20", "v4.6.9", MASTODON)

# renovate: datasource=docker depName=postgres
POSTGRES_IMAGE = "postgres:17-trixie"
# renovate: datasource=docker depName=redis
REDIS_IMAGE = "redis:7.4-alpine"
# renovate: datasource=docker depName=nginx
NGINX_IMAGE = "nginx:1.30-alpine"
# renovate: datasource=docker depName=nginxproxy/nginx-proxy
DOCKER_GEN_IMAGE = "nginxproxy/nginx-proxy:1.11-dockergen"
# renovate: datasource=docker depName=nginxproxy/acme-companion
ACME_COMPANION_IMAGE = "nginxproxy/acme-companion:2.8"
# renovate: datasource=docker depName=wollomatic/socket-proxy
SOCKET_PROXY_IMAGE = "wollomatic/socket-proxy:1.13.1"
# renovate: datasource=docker depName=prom/node-exporter
NODE_EXPORTER_IMAGE = "prom/node-exporter:v1.12.1"
# renovate: datasource=docker depName=prometheuscommunity/postgres-exporter
POSTGRES_EXPORTER_IMAGE = "prometheuscommunity/postgres-exporter:v0.20.1"

# The oldest that the releases of Mastodon from OLDEST_MASTODON (mstdn/kinds/images.py) on take. Source: 4.5.0's notes.
OLDEST_POSTGRES = 14
OLDEST_REDIS = (7, 0)
