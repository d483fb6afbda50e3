"""
Every setting with its default: to read, not to change. An update of the suite replaces this file.

Your own values stand in group_data/mastodon.py (see mastodon.example.py) or, for several servers, in
instances/<name>/group_data/all.py. Made from mstdn/*/settings.py by `make docs`, as docs/settings.md is.
"""

# --- How pyinfra gets in --------------------------------------------------------------------------

# Log in as an ordinary user who may use sudo without a password. See also ssh_user in inventory.py.
_sudo = True

# --- Mastodon -------------------------------------------------------------------------------------

# The name after the @ of every account, for ever: it can never change once people have posted.
local_domain = ""

# The site's own host name, only when it differs from local_domain (handles at example.org, site at
# social.example.org). Others then ask local_domain for the accounts: where it leads to this server too,
# the proxy leads them to the site; otherwise its web server must redirect /.well-known/webfinger to it.
web_domain = ""

# Further names under which the site answers: ["example.net"].
alternate_domains = []

# Exactly one release, with its v. Upgrading is: set the new one, deploy.
mastodon_version = "v4.7.6"

# "official" pulls the images below at mastodon_version; "source" builds both from the checkout and your
# patches. The AGPL then asks you to offer your source: name it in mastodon_environment, in
# GITHUB_REPOSITORY or SOURCE_BASE_URL.
mastodon_image_source = "official"

# The image of web and Sidekiq, without its tag.
mastodon_image = "ghcr.io/mastodon/mastodon"

# The image of the streaming server, without its tag.
mastodon_streaming_image = "ghcr.io/mastodon/mastodon-streaming"

# All state of the instance lies under this directory of the server.
mastodon_root = "/srv/mastodon"

# True turns the front page into the profile of the only account.
single_user_mode = False

# The language for visitors whose own is unknown: "en", "pt-BR", "sr-Latn".
default_locale = "en"

# How much web and Sidekiq write to their logs: "debug", "info", "warn", "error" or "fatal".
mastodon_log_level = "info"

# Any other variable of Mastodon's environment by its upstream name, every value as text:
# {"AUTHORIZED_FETCH": "true"}.
mastodon_environment = {}

# How long a container may take to become healthy before the run fails and shows its last log lines; None
# is 300, and 600 on a server of 1 GB.
app_start_timeout_seconds = None

# How long Sidekiq gets for the jobs it works on when it has to stop; what it cannot finish, such as
# converting a long film, the next one begins anew. A deployment waits for it.
app_stop_timeout_seconds = 60

# --- Mail -----------------------------------------------------------------------------------------

# The mail server that takes Mastodon's mail (sign-up, password reset, log-in from a new place).
smtp_server = ""

# The sender of Mastodon's mail.
smtp_from_address = ""

# 587 with STARTTLS is what most providers want; 465 needs smtp_tls = True.
smtp_port = 587

# The account at the mail server. Its password is SMTP_PASSWORD in secrets.env.
smtp_login = ""

# TLS from the first byte, as port 465 wants it; STARTTLS is then off.
smtp_tls = False

# "always" refuses a mail server without STARTTLS, "auto" then sends without TLS, "never" does not ask for
# it.
smtp_starttls = "always"

# How to log in: "plain", "login", "cram_md5" or "none". Without smtp_login it is always "none".
smtp_authentication = "plain"

# "peer" verifies the certificate of the mail server, "none" accepts any.
smtp_verify = "peer"

# Where a test mail goes, for one run of tasks/mail_test.py: --data mail_test_to=you@example.org
mail_test_to = ""

# --- Passwords and keys ---------------------------------------------------------------------------

# The file of your passwords and keys, for servers of one inventory that have different ones. Empty means
# secrets.env beside the inventory or, where there is none, beside deploy.py.
secrets_file = ""

# --- Media in object storage ----------------------------------------------------------------------

# Keep uploads in an object store instead of on the server. The keys are AWS_ACCESS_KEY_ID and
# AWS_SECRET_ACCESS_KEY in secrets.env.
s3_enabled = False

# The bucket's name.
s3_bucket = ""

# The bucket's region.
s3_region = ""

# The address of the store when it is not Amazon: "https://s3.example.org". s3_hostname or s3_alias_host
# is then needed too. Some of these stores also want S3_FORCE_SINGLE_REQUEST, S3_READ_TIMEOUT,
# S3_RETRY_LIMIT, S3_BATCH_DELETE_LIMIT, AWS_REQUEST_CHECKSUM_CALCULATION and
# AWS_RESPONSE_CHECKSUM_VALIDATION ("when_required") in mastodon_environment.
s3_endpoint = ""

# The host in the addresses of media when it is not Amazon's, mostly that of s3_endpoint.
s3_hostname = ""

# A CDN or proxy in front of the bucket, with its path if it has one.
s3_alias_host = ""

# The access list of each object: "public-read", "private", or "" for stores that know none.
s3_permission = "public-read"

# --- Proxy and certificates -----------------------------------------------------------------------

# The contact of your account at the ACME authority, if you want to give one. Let's Encrypt writes to
# nobody since 2025; other authorities may. A later change makes another account, which asks for every
# certificate anew.
acme_email = ""

# The ACME authority that issues the certificates.
acme_directory = "https://acme-v02.api.letsencrypt.org/directory"

# Ask Let's Encrypt's staging authority: no rate limits, but no browser trusts the certificate.
acme_staging = False

# A file on this machine with the roots (PEM) of a private authority, for acme_directory and for
# tasks/verify.py.
acme_ca_bundle = ""

# The proxy's files, certificates and ACME account.
proxy_root = "/srv/proxy"

# The addresses of a load balancer or CDN in front of the server, if there is one: ["203.0.113.0/24",
# "2001:db8::/32"]. What they say of their visitors (X-Forwarded-For) is then believed; without them, all
# of their visitors would share one address, with its limits and its blocks.
proxy_downstream_addresses = []

# The largest upload. Mastodon takes videos of up to 99 MB, and the form around one adds a little.
proxy_body_size_mib = 100

# How long the proxy waits for an answer of Mastodon.
proxy_read_timeout_seconds = 120

# --- Resources: None means "choose from the server's memory" --------------------------------------

# Puma's worker processes; 0 is one process without a supervisor, the smallest.
web_processes = None

# Threads of each web process.
web_threads = None

# Jobs that run at the same time.
sidekiq_threads = None

# Database connections of the streaming server.
streaming_database_pool = None

# PostgreSQL's own cache.
postgres_shared_buffers_mib = None

# Above this the kernel ends the web container.
web_memory_mib = None

# The same for Sidekiq.
sidekiq_memory_mib = None

# The same for the streaming server.
streaming_memory_mib = None

# The same for PostgreSQL.
postgres_memory_mib = None

# The same for Redis.
redis_memory_mib = None

# Whether a new web starts beside the old one, which then stops, so that visitors notice nothing. False:
# the old one stops first, and visitors wait. None: True where memory and swap hold both.
web_side_by_side = None

# --- Images ---------------------------------------------------------------------------------------

# Patches (*.patch, applied in order of their names) for mastodon_image_source = "source"; a directory
# beside the inventory.
images_patches_directory = ""

# PostgreSQL, 14 or newer, in a variant with Debian. A new major version needs a dump.
postgres_image = "postgres:17-trixie"

# Redis, 7.0 or newer.
redis_image = "redis:7.4-alpine"

# Both nginx: the proxy and the inner one.
nginx_image = "nginx:1.30-alpine"

# Writes the proxy's configuration.
docker_gen_image = "nginxproxy/nginx-proxy:1.11-dockergen"

# Gets the certificates.
acme_companion_image = "nginxproxy/acme-companion:2.8"

# Lets those two ask Docker a few questions and nothing else.
socket_proxy_image = "wollomatic/socket-proxy:1.13.1"

# Tells of the server, with monitoring_enabled = True.
node_exporter_image = "prom/node-exporter:v1.12.1"

# Tells of the database, with monitoring_enabled = True.
postgres_exporter_image = "prometheuscommunity/postgres-exporter:v0.20.1"

# Take what the registry offers now for every tag, even where it moved. Meant for one run: `--data
# images_refresh=true`.
images_refresh = False

# --- Checkout -------------------------------------------------------------------------------------

# Where Mastodon's source comes from.
checkout_repository = "https://github.com/mastodon/mastodon.git"

# --- Preflight: what must be true before anything is changed --------------------------------------

# What if the DNS of the domain does not lead to this server? "require" refuses, "warn" goes on, "skip"
# does not look.
preflight_dns = "require"

# The address that visitors use, when it differs from the server's own (behind NAT).
public_ipv4 = ""

# The same for IPv6.
public_ipv6 = ""

# The space that must be free before the first installation; afterwards a third of it is enough.
preflight_free_disk_gib = 10

# What memory and swap (planned swap included) must come to.
preflight_memory_and_swap_mib = 2048

# --- Swap -----------------------------------------------------------------------------------------

# The swap file.
swap_path = "/swap"

# 0 makes no swap file. An existing swap of at least this size is kept as it is.
swap_size_mib = 2048

# How readily the kernel swaps: the smaller, the later.
swap_swappiness = 10

# --- Firewall -------------------------------------------------------------------------------------

# "auto" closes everything but SSH, HTTP and HTTPS on a server that has no firewall of its own, and asks
# first where something else answers from outside. True closes it in any case, beside another firewall
# too; False takes the suite's rules away.
firewall_enabled = "auto"

# Further TCP ports that everybody may reach: of the server, and published ones of containers. Those in
# verify_open_ports are open too.
firewall_tcp_ports = []

# UDP ports that everybody may reach, such as that of a VPN.
firewall_udp_ports = []

# Who may reach every port: a monitoring system, an office.
firewall_trusted_addresses = []

# Network interfaces that do not lead to the Internet, such as a provider's private network: what comes
# from them is let in. Bridges of containers and VPNs (WireGuard, Tailscale, tun) need not be named.
firewall_inside_interfaces = []

# --- Docker Engine --------------------------------------------------------------------------------

# Docker's apt repositories; /debian or /ubuntu is added.
docker_repository = "https://download.docker.com/linux"

# The key that must have signed them. It is compared before the key is trusted.
docker_key_fingerprint = "9DC858229FC7DD38854AE2D88D81803C0EBFCD88"

# An exact version of docker-ce as apt lists it, or empty for the newest at the time of installation.
docker_version = ""

# Accounts of the server that may use Docker: ["alice"]. They are root on it.
docker_users = []

# The size at which a container's log is rotated.
docker_log_size_mib = 10

# How many rotated logs are kept.
docker_log_files = 3

# Where a port is published that does not say where: not to the Internet.
docker_bind_address = "127.0.0.1"

# --- Updates of the system ------------------------------------------------------------------------

# Security fixes of Debian or Ubuntu are installed by themselves, once a day, by unattended-upgrades.
# Where it is there already, your own configuration of it stays. False leaves the system as it is.
updates_enabled = True

# True has Docker's own packages brought up to date with them, whatever is new there. Containers go on
# running while the engine restarts.
updates_docker = False

# --- Networks -------------------------------------------------------------------------------------

# "auto" gives the front network IPv6 where the server has it; True and False force it.
networks_ipv6 = "auto"

# --- Verify ---------------------------------------------------------------------------------------

# How long the first certificate may take.
verify_timeout_seconds = 180

# Ports of other containers that are meant to answer from outside: [25, 993].
verify_open_ports = []

# --- Backups --------------------------------------------------------------------------------------

# Where the encrypted backups go: sftp:user@host:/path (sftp://user@host:port//path for another port),
# s3:https://host/bucket/path, or a directory of the server, which should be on another disk. Empty means
# that there are none. The passphrase and the keys are BACKUP_* in secrets.env.
backup_repository = ""

# For sftp: the public key of that server, from its provider's page or, over a network that you trust,
# from ssh-keyscan -t ed25519.
backup_sftp_host_key = ""

# For s3: the bucket's region.
backup_s3_region = ""

# When the nightly backup begins, in the server's time zone.
backup_time = "03:30"

# Up to this much later, each night anew, so that not all servers come at once.
backup_random_delay_minutes = 60

# An upgrade of Mastodon is refused unless the last backup is younger than so many hours; 0 does not look.
# A night's backup and its delay fit into the default.
backup_before_upgrade_hours = 26

# Of the last so many days, one backup each is kept.
backup_keep_daily = 7

# Of the last so many weeks, one backup each is kept.
backup_keep_weekly = 5

# Of the last so many months, one backup each is kept.
backup_keep_monthly = 12

# True puts copies of other servers' pictures into the backup too, which Mastodon can fetch again.
backup_media_cache = False

# --- Drill: the proof of the backups --------------------------------------------------------------

# The day of the week on which the newest backup is proven.
drill_day = "Sun"

# When it begins, in the server's time zone.
drill_time = "05:30"

# Memory and swap that have to be free for it; with less it is not held, and says so.
drill_memory_mib = 1024

# How many media files, chosen at random, are fetched and compared.
drill_media_files = 20

# How much of the repository's data is read and checked each time; in a year that is all of it.
drill_read_data_percent = 2

# --- Restore (for one run of tasks/restore.py) ----------------------------------------------------

# The backup to restore: "latest", or what /usr/local/lib/mstdn/restic snapshots calls it: --data
# snapshot=1a2b3c4d
snapshot = "latest"

# "yes" lets a restore take the place of an instance that is there: --data replace=yes. Its database, jobs
# and keys are kept aside.
replace = "no"

# --- Take-over (for one run of tasks/adopt.py) ----------------------------------------------------

# The directory from which the Mastodon of before was started with Compose, where there is more than one
# on the server: `--data adopt_from=/opt/mastodon-by-hand`.
adopt_from = ""

# --- Alerts ---------------------------------------------------------------------------------------

# The server looks at itself every few minutes: containers, disk, certificates, queues, migrations,
# firewall, timers, backups. False removes that.
alerts_enabled = True

# Who gets a mail once when something is wrong, and once when it is over; by the mail server of
# smtp_server. Another way, beside it or instead, is ALERTS_WEBHOOK_URL in secrets.env. Without both, what
# is wrong only stands in the journal of mstdn-alerts.
alerts_mail_to = ""

# How often the server looks. What is wrong is told when it is seen twice in a row.
alerts_interval_minutes = 5

# A disk that is fuller than this is told, and wrong for tasks/status.py; so is one with less than 1 GiB
# free.
alerts_disk_percent = 90

# A newer release that mends security is told too. Mastodon itself asks its makers every half hour whether
# there is one (UPDATE_CHECK_URL); the server looks at what it was answered, and asks nobody.
alerts_releases = True

# --- Monitoring -----------------------------------------------------------------------------------

# True starts exporters for a Prometheus of yours (docs/monitoring.md): of Mastodon, of the server and of
# PostgreSQL. They publish no port; they are on the network mstdn-monitoring only, which you let your
# Prometheus join. They take about 128 MiB. Web and Sidekiq are made anew once, as for any change.
monitoring_enabled = False

# Whether web and Sidekiq count each request and each job as well, and Sidekiq the queues. False saves a
# little time in each; what is left on a server with web_processes = 0 is how long requests wait.
monitoring_details = True

# --- Content retention ----------------------------------------------------------------------------

# Copies of other servers' pictures and films, and preview cards, are removed after so many days; Mastodon
# fetches them again when somebody looks. 0 keeps them for ever, and they fill the disk. It is set once,
# where the administration pages (Content retention) have no value yet; from then on what stands there
# counts.
retention_media_days = 14

# Other servers' posts that nobody here has interacted with are removed after so many days, and do not
# come back. 0 keeps them, as Mastodon advises. Set once, as retention_media_days.
retention_content_days = 0

# --- Chores ---------------------------------------------------------------------------------------

# The day of the week on which the chores are done.
chores_day = "Wed"

# When they begin, in the server's time zone.
chores_time = "05:00"

# Avatars and headers of accounts elsewhere, whom nobody here follows and who have not been heard of for
# so many days, are removed. 0 keeps them.
chores_profile_media_days = 30

# Pictures of preview cards are removed after so many days, where retention_media_days does not do it
# earlier; below 14 they would not come back. 0 keeps them.
chores_preview_card_days = 180

# Files that no post and no account knows any more are removed. It looks at every single file; with an
# object store it is not done.
chores_orphans = True

# --- The way back ---------------------------------------------------------------------------------

# The release to whose last moment tasks/rollback.py takes the database back; all that happened since is
# lost. Meant for one run: `--data rollback_to=v4.6.9`.
rollback_to = None

# --- PostgreSQL (for one run of tasks/postgres_upgrade.py) ----------------------------------------

# "remove" takes away the data directory that tasks/postgres_upgrade.py has kept aside, when the new one
# has served long enough: --data postgres_old_directory=remove
postgres_old_directory = "keep"

# --- Owner (for one run of tasks/owner.py) --------------------------------------------------------

# The account, as its name stands before the domain: --data owner_name=alice
owner_name = ""

# The mail address of an account that is made: --data owner_email=alice@example.org
owner_email = ""

# For an account that is locked out: "password" gives it a new one, "second_factor" takes that away, both
# do both: --data owner_reset=password
owner_reset = ""

# Make an owner of an account that is there: --data owner_promote=true
owner_promote = False

# --- Status (for one run of tasks/status.py) ------------------------------------------------------

# "json" is for programs, one line for each server: --data format=json
format = "text"

# --- Consent (for one run of tasks/uninstall.py or tasks/adopt.py) --------------------------------

# The name of the instance that shall go, or be taken over, so that it is not another one by mistake.
# Meant for one run: `--data yes=social.example.org`.
yes = ""

# Where backups are on, one is made before anything is removed; "no" leaves that out. Meant for one run:
# `--data uninstall_backup=no`.
uninstall_backup = "yes"

# --- Provisioning: a server -----------------------------------------------------------------------

# Where the server is made: "hetzner" or "google". Empty: you bring one, and say public_ipv4.
server_provider = ""

# Its name in the provider's console.
server_name = "mastodon"

# Location or zone. Empty: "nbg1" at Hetzner, "us-west1-b" at Google (chosen 2026-11).
server_place = ""

# The machine. Empty: "cx23" at Hetzner, "e2-small" at Google (chosen 2026-11).
server_type = ""

# The system it is born with. It matters only then.
server_image = "debian-13"

# Google: its disk. It can grow, never shrink. Hetzner's types have disks of their own.
server_disk_gib = 30

# Google: the kind of its disk. Empty: "pd-balanced". It matters only once.
server_disk_type = ""

# Your public SSH key. Empty: ~/.ssh/id_ed25519.pub, or else ~/.ssh/id_rsa.pub.
server_ssh_key = ""

# Google: the account that you log in as. At Hetzner it is root.
server_user = "admin"

# Google: the project's ID.
server_project = ""

# Google: the network of server and firewall.
server_network = "default"

# Google: the key file of a service account. Empty: what `gcloud auth application-default login` or
# GOOGLE_APPLICATION_CREDENTIALS says.
server_credentials = ""

# Take over a server of that name that was made by hand. Meant for one run: `--data server_adopt=true`.
server_adopt = False

# How long a new server may take until it lets you in. 0 does not try.
server_wait_seconds = 600

# --- Provisioning: the provider's firewall --------------------------------------------------------

# The TCP ports that the provider's firewall lets through.
cloud_firewall_ports = [22, 80, 443]

# Who may reach port 22: ["198.51.100.7/32"]. Your own address must be among them.
cloud_firewall_ssh_from = ["0.0.0.0/0", "::/0"]

# The tag or label that ties rule and server together.
cloud_firewall_tag = "mastodon"

# --- Provisioning: DNS ----------------------------------------------------------------------------

# Who has the zone: "hetzner", "cloudflare", "route53", or "manual": you enter the records, the suite
# writes them down and proves them. Empty: nobody looks.
dns_provider = ""

# The zone's name, or its ID where an account has two of one name. Empty: it is found.
dns_zone = ""

# How long others may remember a record that is made here.
dns_ttl_seconds = 300

# Ask these instead of each zone's own name servers, where your network shuts port 53: ["192.0.2.53"].
dns_resolvers = []

# Route 53: the profile of ~/.aws to use. Empty: ROUTE53_ACCESS_KEY_ID, or else AWS's default.
dns_aws_profile = ""

# These names shall lead here, whatever they say now. Meant for one run: `--data dns_replace=true`.
dns_replace = False

# How long the name servers may take to answer with records that were just made.
dns_wait_seconds = 180

# --- Provisioning: the sending domain -------------------------------------------------------------

# Who sends Mastodon's mail: "sparkpost", or "manual": mail_domain_records are published and proven.
# Empty: nobody looks.
mail_domain_provider = ""

# The sending domain. Empty: the one in smtp_from_address.
mail_domain = ""

# SparkPost: where the account is. Accounts of app.eu.sparkpost.com are "eu".
mail_domain_region = "us"

# SparkPost: a name for bounces under the sending domain; large providers expect one. Empty: none.
mail_domain_bounce = ""

# SparkPost: the size of its DKIM key.
mail_domain_dkim_bits = 2048

# The records that your mail provider wants, as lines of a zone file, for mail_domain_provider = "manual".
mail_domain_records = []

# --- All of these -------------------------------------------------------------------------------

# For pyinfra, which would otherwise look through this file once for each of them.
__all__ = [name for name in dir() if not name.startswith("__")]
