"""Each row of bad input: which setting is named, what is said, what is to be typed instead."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from pyinfra.api import Config, Inventory, State
from pyinfra.api.exceptions import DeployError

from mstdn import versions
from mstdn.app.environment import DEAD_PREFIXES, DEAD_VARIABLES, OWNED_BY_SETTINGS, READ_BEFORE
from mstdn.app.forms import HOSTS, SWITCHES, WORDS
from mstdn.app.variables import mastodon_variables, streaming_variables
from mstdn.problems import Problem
from mstdn.secrets import operator as secrets
from mstdn.secrets.table import OPERATOR_SECRETS
from mstdn.settings import Settings, examine, settings_for
from mstdn.sizing.rules import sizing_for
from tests.harness import REQUIRED

DIGEST = "@sha256:" + "0a" * 32


@pytest.fixture(autouse=True)
def no_secrets_of_the_operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "SECRETS_FILE", tmp_path / "secrets.env")
    for name in OPERATOR_SECRETS:
        monkeypatch.delenv(name, raising=False)


def problems_of(**values: Any) -> list[Problem]:
    settings, problems = examine(REQUIRED | values)
    assert (settings is None) == bool(problems)
    return problems


def the_problem_of(**values: Any) -> Problem:
    problems = problems_of(**values)
    assert len(problems) == 1, problems
    return problems[0]


BAD_VALUES: list[tuple[str, Any, str, str]] = [
    # setting, value, part of what is wrong, part of what to type instead
    (
        "local_domain",
        "",
        "not set",
        'local_domain = "social.example.org", with your own value, in group_data/mastodon.py',
    ),
    ("local_domain", "https://example.org", "scheme", 'local_domain = "example.org"'),
    ("local_domain", "https://Example.org:443/x", "scheme", 'local_domain = "example.org"'),
    ("local_domain", "example.org:8443", "port", 'local_domain = "example.org"'),
    ("local_domain", "example.org/social", "path", 'local_domain = "example.org"'),
    ("local_domain", "Example.org", "upper-case", 'local_domain = "example.org"'),
    ("local_domain", "my_site.example.org", "underscore", 'local_domain = "my-site.example.org"'),
    ("local_domain", "example.org.", "ends in a dot", 'local_domain = "example.org"'),
    ("local_domain", "localhost", "no dot", "local_domain"),
    ("local_domain", "198.51.100.7", "IP address", "local_domain"),
    ("local_domain", "2001:db8::7", "IP address", "local_domain"),
    ("local_domain", "müller.example", "punycode", 'local_domain = "xn--mller-kva.example"'),
    ("local_domain", "mu\u0308ller.example", "punycode", 'local_domain = "xn--mller-kva.example"'),
    # strasse.example would be somebody else's.
    ("local_domain", "straße.example", "punycode", 'for example local_domain = "social.example.org"'),
    ("local_domain", "-a.example.org", "not a host name", "local_domain"),
    ("local_domain", "a..example.org", "not a host name", "local_domain"),
    ("local_domain", "exa mple.org", "not a host name", "local_domain"),
    ("local_domain", "a" * 64 + ".org", "not a host name", "local_domain"),
    ("local_domain", "http://[", "", "local_domain"),
    ("web_domain", "https://social.example.org", "scheme", 'web_domain = "social.example.org"'),
    ("web_domain", "Social.example.org", "upper-case", 'web_domain = "social.example.org"'),
    ("alternate_domains", ["a.example.net", "b_c.example.net"], "underscore", '"b-c.example.net" in alternate_domains'),
    ("alternate_domains", "example.net", "a list, not text", "alternate_domains = ["),
    ("acme_email", "admin", "not a mail address", "acme_email ="),
    ("acme_email", "admin@localhost", "after the @", "acme_email ="),
    ("acme_email", "Admin <admin@example.org>", "without a name", 'acme_email = "admin@example.org"'),
    ("smtp_server", "", "not set", "smtp_server ="),
    ("smtp_server", "smtps://smtp.example.org", "scheme", 'smtp_server = "smtp.example.org"'),
    ("smtp_server", "smtp.example.org:587", "smtp_port = 587", 'smtp_server = "smtp.example.org"'),
    ("smtp_server", "localhost", "container itself", "smtp_server ="),
    ("smtp_server", "127.0.0.1", "container itself", "smtp_server ="),
    ("smtp_server", "0.0.0.0", "container itself", "smtp_server ="),  # noqa: S104
    ("smtp_server", "ip6-localhost", "container itself", "smtp_server ="),
    ("smtp_server", "smtp server", "neither a host name", "smtp_server ="),
    ("smtp_from_address", "", "not set", "smtp_from_address ="),
    ("smtp_from_address", "notifications", "not a mail address", "smtp_from_address ="),
    ("smtp_from_address", "Mastodon <notifications>", "not a mail address", "smtp_from_address ="),
    ("smtp_from_address", "Mastodon notifications@example.org", "not a mail address", "smtp_from_address ="),
    ("smtp_from_address", 'My "site" <a@example.org>', "quotes", "smtp_from_address ="),
    ("smtp_from_address", "Acme, Inc. <a@example.org>", "with , in", '"Acme Inc. <a@example.org>"'),
    ("smtp_from_address", "[Example] Site <a@example.org>", "with [ in", '"Example Site <a@example.org>"'),
    ("smtp_from_address", "Mastodon: Example <a@example.org>", "with : in", '"Mastodon Example <a@example.org>"'),
    ("smtp_from_address", "A; B <a@example.org>", "with ; in", '"A B <a@example.org>"'),
    ("smtp_from_address", "Site :-) <a@example.org>", "with : in", "smtp_from_address ="),
    ("smtp_from_address", "Site (x <a@example.org>", "parenthesis", "smtp_from_address ="),
    ("smtp_from_address", "Site )x( <a@example.org>", "parenthesis", "smtp_from_address ="),
    ("smtp_from_address", "Site \x7f <a@example.org>", "control characters", "smtp_from_address ="),
    ("smtp_from_address", "a..b@example.org", "not a mail address", "smtp_from_address ="),
    ("smtp_from_address", "Site <.a@example.org>", "not a mail address", "smtp_from_address ="),
    ("mastodon_version", "latest", "moves", f'mastodon_version = "{versions.MASTODON}"'),
    ("mastodon_version", "edge", "moves", f'mastodon_version = "{versions.MASTODON}"'),
    ("mastodon_version", "v4.7", "moves", f'mastodon_version = "{versions.MASTODON}"'),
    ("mastodon_version", "main", "branch", f'mastodon_version = "{versions.MASTODON}"'),
    ("mastodon_version", "stable-4.7", "branch", f'mastodon_version = "{versions.MASTODON}"'),
    ("mastodon_version", "4.7.60", "with its v", 'mastodon_version = "v4.7.60"'),
    ("mastodon_version", "v4.7.0-rc.1", "not a stable release", "mastodon_version ="),
    ("mastodon_version", "v4.7.1٦", "not a release", "mastodon_version ="),
    ("postgres_image", "postgres:é1", "not the name of an image", "postgres_image ="),
    ("mastodon_version", "v4.3.9", "before v4.4.0", "mastodon_version ="),
    ("mastodon_version", 4.7, "text in quotes, not a number", f"--data 'mastodon_version=\"{versions.MASTODON}\"'"),
    ("mastodon_version", 4, "text in quotes, not a number", f"--data 'mastodon_version=\"{versions.MASTODON}\"'"),
    ("mastodon_version", "", "not set", f'mastodon_version = "{versions.MASTODON}"'),
    ("mastodon_version", None, "not None", f'mastodon_version = "{versions.MASTODON}"'),
    ("mastodon_image_source", "Official", '"official" or "source"', 'mastodon_image_source = "official"'),
    ("mastodon_image", "ghcr.io/mastodon/mastodon:v4.7.60", "tag is", 'mastodon_image = "ghcr.io/mastodon/mastodon"'),
    ("mastodon_image", "example.org:5000/m" + DIGEST, "tag is", 'mastodon_image = "example.org:5000/m"'),
    ("mastodon_streaming_image", "https://ghcr.io/x", "not the name of an image", "mastodon_streaming_image ="),
    ("postgres_image", "postgres", "no tag", f'postgres_image = "{versions.POSTGRES_IMAGE}"'),
    ("postgres_image", "example.org:5000/postgres", "no tag", "postgres_image ="),
    ("redis_image", "redis:latest", "moves", f'redis_image = "{versions.REDIS_IMAGE}"'),
    ("nginx_image", "nginx:alpine", "moves", "nginx_image ="),
    ("docker_gen_image", "nginxproxy/nginx-proxy:dockergen", "moves", "docker_gen_image ="),
    ("acme_companion_image", "NginxProxy/acme:2", "not the name of an image", "acme_companion_image ="),
    ("socket_proxy_image", "", "not the name of an image", "socket_proxy_image ="),
    ("mastodon_root", "srv/mastodon", "not an absolute path", 'mastodon_root = "/srv/srv/mastodon"'),
    ("mastodon_root", "", "not an absolute path", "mastodon_root ="),
    ("mastodon_root", "/", "belongs to the system", "mastodon_root ="),
    ("mastodon_root", "/srv", "belongs to the system", "mastodon_root ="),
    ("mastodon_root", "/srv/mastodon/", "ends in a slash", 'mastodon_root = "/srv/mastodon"'),
    ("mastodon_root", "/srv/my site", "only letters", "mastodon_root ="),
    ("mastodon_root", "/srv/../etc", "no ..", "mastodon_root ="),
    ("mastodon_root", "/srv/$HOME", "only letters", "mastodon_root ="),
    ("mastodon_root", "/tmp/mastodon", "after a reboot", "mastodon_root ="),
    ("proxy_root", "/var", "belongs to the system", 'proxy_root = "/srv/proxy"'),
    ("swap_path", "swap", "not an absolute path", "swap_path ="),
    ("swap_size_mib", -1, "at least 0", "swap_size_mib = 2048"),
    ("swap_size_mib", 0.5, "whole number", "swap_size_mib = 2048"),
    ("swap_swappiness", 201, "at most 200", "swap_swappiness = 10"),
    ("single_user_mode", "true", "True or False, not text", "single_user_mode = False"),
    ("single_user_mode", 1, "True or False, not a number", "single_user_mode = False"),
    ("default_locale", "en_GB", "no such language", 'default_locale = "en-GB"'),
    ("default_locale", "de-DE", "would take English", 'default_locale = "de"'),
    ("default_locale", "de_DE.UTF-8", "no such language", 'default_locale = "de"'),
    ("default_locale", "zh", "no such language", 'default_locale = "zh-CN"'),
    ("default_locale", "zh-Hant", "no such language", 'default_locale = "zh-TW"'),
    ("default_locale", "PT", "no such language", 'default_locale = "pt-BR"'),
    ("default_locale", "nb-NO", "no such language", 'default_locale = "no"'),
    ("default_locale", "fr-QC", "no such language", 'default_locale = "fr"'),
    ("default_locale", "xx", "no such language", 'default_locale = "en"'),
    ("default_locale", "", "no such language", 'default_locale = "en"'),
    ("mastodon_log_level", "verbose", '"debug"', 'mastodon_log_level = "info"'),
    ("smtp_port", 0, "at least 1", "smtp_port = 587"),
    ("smtp_port", 65536, "at most 65535", "smtp_port = 587"),
    ("smtp_port", "587", "a whole number, not text", "smtp_port = 587"),
    ("smtp_port", True, "a whole number, not True or False", "smtp_port = 587"),
    ("smtp_authentication", "PLAIN", '"plain"', 'smtp_authentication = "plain"'),
    ("smtp_starttls", True, '"auto"', 'smtp_starttls = "always"'),
    ("smtp_verify", "strict", '"peer" or "none"', 'smtp_verify = "peer"'),
    ("smtp_login", "it's", "single quote", "smtp_login ="),
    ("s3_bucket", "a\nb", "line break", "s3_bucket ="),
    ("s3_endpoint", "s3.example.org", "not an https:// address", 's3_endpoint = "https://s3.example.org"'),
    ("s3_endpoint", "https://s3.example.org/", "ends in a slash", 's3_endpoint = "https://s3.example.org"'),
    ("s3_endpoint", "https://key:secret@s3.example.org", "only a host", "s3_endpoint ="),
    ("s3_alias_host", "https://media.example.org/", "scheme", 's3_alias_host = "media.example.org"'),
    ("s3_hostname", "s3 example", "not a host name", "s3_hostname ="),
    ("s3_permission", "public", '"public-read"', 's3_permission = "public-read"'),
    ("preflight_dns", "yes", '"require"', 'preflight_dns = "require"'),
    ("preflight_dns", False, '"require"', 'preflight_dns = "require"'),
    ("preflight_free_disk_gib", 0, "at least 1", "preflight_free_disk_gib = 10"),
    ("preflight_memory_and_swap_mib", 2, "at least 512", "preflight_memory_and_swap_mib = 2048"),
    ("public_ipv4", "2001:db8::7", "not an IPv4 address", "public_ipv4 ="),
    ("public_ipv4", "127.0.0.1", "no visitor", "public_ipv4 ="),
    ("public_ipv6", "198.51.100.7", "not an IPv6 address", "public_ipv6 ="),
    ("public_ipv6", "fe80::1", "no visitor", "public_ipv6 ="),
    ("docker_repository", "http://download.docker.com/linux", "not encrypted", '"https://download.docker.com/linux"'),
    ("docker_repository", "https://download.docker.com/linux/", "slash", '"https://download.docker.com/linux"'),
    ("docker_repository", "https://h:port/linux", "not an https:// address", "docker_repository ="),
    ("docker_key_fingerprint", "8D81803C0EBFCD88", "40 hexadecimal digits", "docker_key_fingerprint ="),
    ("docker_version", "latest", "as apt lists it", "docker_version ="),
    ("firewall_enabled", 1, '"auto", True or False', 'firewall_enabled = "auto"'),
    ("firewall_tcp_ports", ["25"], "without quotes", "firewall_tcp_ports"),
    ("firewall_tcp_ports", 25, "a list", "firewall_tcp_ports = ["),
    ("firewall_tcp_ports", ["smtp"], "neither a port", "firewall_tcp_ports ="),
    ("firewall_tcp_ports", ["61000-60000"], "first port", '"60000-61000" in firewall_tcp_ports'),
    ("firewall_tcp_ports", ["60000:61000"], "a hyphen", '"60000-61000" in firewall_tcp_ports'),
    ("firewall_tcp_ports", [70000], "1 to 65535", "firewall_tcp_ports ="),
    ("firewall_tcp_ports", ["0-80"], "1 to 65535", "firewall_tcp_ports ="),
    ("firewall_udp_ports", [0], "1 to 65535", "firewall_udp_ports ="),
    ("firewall_trusted_addresses", ["office"], "not an address", "firewall_trusted_addresses ="),
    ("firewall_trusted_addresses", ["203.0.113.7/24"], "bits must be 0", '"203.0.113.0/24"'),
    ("firewall_inside_interfaces", ['eth0" accept'], "not the name of a network", "firewall_inside_interfaces ="),
    ("firewall_inside_interfaces", ["*"], "not the name of a network", "firewall_inside_interfaces ="),
    ("docker_users", ["Alice Smith"], "Unix account", "docker_users ="),
    ("docker_users", "alice", "a list, not text", 'docker_users = ["alice"]'),
    ("docker_log_size_mib", 0, "at least 1", "docker_log_size_mib = 10"),
    ("docker_log_files", 0, "at least 1", "docker_log_files = 3"),
    ("mastodon_root", "/var/lib/mstdn", "has an owner", 'mastodon_root = "/srv/mastodon"'),
    ("backup_repository", "/var/cache/mstdn/backups", "has an owner", "backup_repository"),
    ("mastodon_root", "/var/cache/mstdn", "has an owner", 'mastodon_root = "/srv/mastodon"'),
    ("proxy_root", "/etc/nginx/proxy", "/etc has an owner", 'proxy_root = "/srv/proxy"'),
    ("swap_path", "/var/lib/docker/swap", "/var/lib/docker has an owner", 'swap_path = "/swap"'),
    ("docker_bind_address", "everywhere", "not an IP address", 'docker_bind_address = "127.0.0.1"'),
    ("networks_ipv6", "yes", '"auto"', 'networks_ipv6 = "auto"'),
    ("networks_ipv6", 1, '"auto"', 'networks_ipv6 = "auto"'),
    ("checkout_repository", "git@github.com:mastodon/mastodon.git", "not an https:// address", "checkout_repository ="),
    ("images_patches_directory", "nowhere", "not a directory", "images_patches_directory ="),
    ("images_patches_directory", "~nobody-of-that-name/patches", "not a directory", "images_patches_directory ="),
    ("images_refresh", "yes", "True or False", "images_refresh = False"),
    (
        "acme_directory",
        "http://acme.example.org/dir",
        "not encrypted",
        'acme_directory = "https://acme.example.org/dir"',
    ),
    ("secrets_file", "nowhere.env", "no file", "secrets_file ="),
    ("acme_staging", "true", "True or False", "acme_staging = False"),
    ("acme_ca_bundle", "nowhere.pem", "No such file", "acme_ca_bundle ="),
    ("proxy_downstream_addresses", "203.0.113.0/24", "a list, not text", "proxy_downstream_addresses = ["),
    ("proxy_downstream_addresses", ["cdn.example.org"], "not an address", "proxy_downstream_addresses"),
    ("proxy_downstream_addresses", ["loopback"], "not an address", "proxy_downstream_addresses"),
    ("proxy_downstream_addresses", ["::ffff:203.0.113.0/120"], "nobody compares", '"203.0.113.0/24" in proxy_down'),
    ("proxy_downstream_addresses", ["203.0.113.7/24"], "last 8 bits", '"203.0.113.0/24" in proxy_downstream_addresses'),
    ("proxy_downstream_addresses", ["2001:db8::1/32"], "last 96 bits", '"2001:db8::/32" in proxy_downstream_addresses'),
    ("proxy_downstream_addresses", ["0.0.0.0/0"], "strangers", "proxy_downstream_addresses"),
    ("proxy_downstream_addresses", ["::/0"], "strangers", "proxy_downstream_addresses"),
    ("proxy_downstream_addresses", ["128.0.0.0/1"], "strangers", "proxy_downstream_addresses"),
    ("proxy_body_size_mib", 0, "at least 1", "proxy_body_size_mib = 100"),
    ("proxy_read_timeout_seconds", 0, "at least 1", "proxy_read_timeout_seconds = 120"),
    ("web_processes", -1, "at least 0", "web_processes = None"),
    ("web_processes", "2", "whole number", "web_processes = 2"),
    ("web_threads", 0, "at least 1", "web_threads = None"),
    ("sidekiq_threads", 401, "at most 400", "sidekiq_threads = None"),
    ("streaming_database_pool", 0, "at least 1", "streaming_database_pool = None"),
    ("postgres_shared_buffers_mib", 1, "at least 16", "postgres_shared_buffers_mib = None"),
    ("web_memory_mib", 1, "at least 64", "web_memory_mib = None"),
    ("sidekiq_memory_mib", 1, "at least 64", "sidekiq_memory_mib = None"),
    ("streaming_memory_mib", 1, "at least 64", "streaming_memory_mib = None"),
    ("postgres_memory_mib", 1, "at least 64", "postgres_memory_mib = None"),
    ("redis_memory_mib", 1, "at least 64", "redis_memory_mib = None"),
    ("app_start_timeout_seconds", 1, "at least 10", "app_start_timeout_seconds = None"),
    ("app_stop_timeout_seconds", 1, "at least 10", "app_stop_timeout_seconds = 60"),
    ("web_side_by_side", "beside", "True or False, not text", "web_side_by_side = None"),
    ("verify_timeout_seconds", 0, "at least 1", "verify_timeout_seconds = 180"),
    ("verify_open_ports", [70000], "at most 65535", "verify_open_ports ="),
    ("postgres_old_directory", "yes", '"keep" or "remove"', "postgres_old_directory = "),
    ("backup_before_upgrade_hours", -1, "at least 0", "backup_before_upgrade_hours = "),
    ("yes", "a\nb", "line", "yes = "),
    ("adopt_from", "opt/mastodon", "not an absolute path", 'adopt_from = "/srv/opt/mastodon"'),
    ("uninstall_backup", True, '"yes" or "no"', "uninstall_backup = "),
    ("rollback_to", "4.7.6", "with its v", "rollback_to = "),
    ("verify_open_ports", 25, "a list", "verify_open_ports ="),
    ("backup_repository", "backups", "not an absolute path", 'backup_repository = "/srv/backups"'),
    ("backup_repository", "sftp:storage.example.org:/backups", "neither sftp:user@host:/path", "backup_repository ="),
    ("backup_repository", "sftp:me@storage.example.org:/a; rm -r /", "neither sftp:", "backup_repository ="),
    ("backup_repository", "s3:s3.example.org/bucket", "no address", '"s3:https://s3.example.org/bucket"'),
    ("backup_repository", "s3:https://s3.example.org", "no bucket", '"s3:https://s3.example.org/backups"'),
    ("backup_repository", "rclone:remote:path", "no other kind", "backup_repository ="),
    ("backup_repository", "/var", "belongs to the system", "backup_repository ="),
    ("backup_sftp_host_key", "storage.example.org ssh-ed25519 " + "A" * 68, "nothing else", '= "ssh-ed25519 AAA'),
    ("backup_sftp_host_key", "SHA256:abc", "not the public key", "backup_sftp_host_key ="),
    ("backup_s3_region", "a\nb", "line break", "backup_s3_region ="),
    ("backup_time", "3:30", "not a time of day", 'backup_time = "03:30"'),
    ("backup_time", "24:00", "not a time of day", "backup_time ="),
    ("backup_random_delay_minutes", 721, "at most 720", "backup_random_delay_minutes = 60"),
    ("backup_keep_daily", -1, "at least 0", "backup_keep_daily = 7"),
    ("backup_keep_weekly", "5", "a whole number, not text", "backup_keep_weekly = 5"),
    ("backup_keep_monthly", 1001, "at most 1000", "backup_keep_monthly = 12"),
    ("backup_media_cache", "yes", "True or False, not text", "backup_media_cache = False"),
    ("drill_day", "Sunday", '"Mon", "Tue"', 'drill_day = "Sun"'),
    ("drill_time", "noon", "not a time of day", 'drill_time = "05:30"'),
    ("drill_memory_mib", 1, "at least 256", "drill_memory_mib = 1024"),
    ("drill_media_files", 51, "at most 50", "drill_media_files = 20"),
    ("drill_read_data_percent", 101, "at most 100", "drill_read_data_percent = 2"),
    ("alerts_enabled", "yes", "True or False, not text", "alerts_enabled = True"),
    ("alerts_mail_to", "Me <me@example.org>", "only the address", 'alerts_mail_to = "me@example.org"'),
    ("alerts_interval_minutes", 31, "at most 30", "alerts_interval_minutes = 5"),
    ("alerts_disk_percent", 100, "at most 99", "alerts_disk_percent = 90"),
    ("alerts_releases", 1, "True or False", "alerts_releases = True"),
    ("monitoring_enabled", "yes", "True or False", "monitoring_enabled = "),
    ("monitoring_details", 0, "True or False", "monitoring_details = "),
    ("node_exporter_image", "prom/node-exporter", "tag", "node_exporter_image = "),
    ("postgres_exporter_image", "prometheuscommunity/postgres-exporter:latest", "moves", "postgres_exporter_image = "),
    ("retention_media_days", -1, "at least 0", "retention_media_days = 14"),
    ("retention_content_days", 3651, "at most 3650", "retention_content_days = 0"),
    ("chores_day", "Wednesday", '"Mon", "Tue"', 'chores_day = "Wed"'),
    ("chores_time", "5", "not a time of day", 'chores_time = "05:00"'),
    ("chores_profile_media_days", "30", "a whole number, not text", "chores_profile_media_days = 30"),
    ("chores_preview_card_days", 3651, "at most 3650", "chores_preview_card_days = 180"),
    ("chores_orphans", "no", "True or False, not text", "chores_orphans = True"),
    ("updates_enabled", "on", "True or False, not text", "updates_enabled = True"),
    ("updates_docker", 0, "True or False", "updates_docker = False"),
    ("snapshot", "newest", 'neither "latest" nor', 'snapshot = "1a2b3c4d"'),
    ("snapshot", 12345678, "text in quotes, not a number", "snapshot ="),
    ("replace", "Yes", '"no" or "yes"', 'replace = "no"'),
    ("owner_name", "@alice@social.example.org", "without @ and domain", 'owner_name = "alice"'),
    ("owner_name", "alice; rm", "letters, digits and underscores", "owner_name ="),
    ("owner_email", "alice", "not a mail address", "owner_email ="),
    ("owner_reset", "all", '"second_factor"', 'owner_reset = ""'),
    ("owner_promote", "yes", "True or False, not text", "owner_promote = False"),
    ("mail_test_to", "Me <me@example.org>", "only the address", 'mail_test_to = "me@example.org"'),
    ("format", "yaml", '"text" or "json"', 'format = "text"'),
    ("mastodon_environment", [], "a dictionary, not a list", "mastodon_environment = {"),
]


@pytest.mark.parametrize(
    ("setting", "value", "wrong", "instead"), BAD_VALUES, ids=[f"{row[0]}={row[1]!r}" for row in BAD_VALUES]
)
def test_a_bad_value_is_named_shown_and_answered_with_what_to_type(
    setting: str, value: Any, wrong: str, instead: str
) -> None:
    problem = the_problem_of(**{setting: value})
    assert problem.subject == setting
    assert wrong in problem.wrong
    assert instead in problem.instead
    assert value in ("", None) or problem.seen is not None


def test_every_setting_has_a_row_of_bad_input() -> None:
    assert Settings.model_fields.keys() - {row[0] for row in BAD_VALUES} == {"s3_enabled", "smtp_tls", "s3_region"}


@pytest.mark.parametrize("setting", ["s3_enabled", "smtp_tls"])
def test_text_is_not_taken_for_true(setting: str) -> None:
    assert "True or False, not text" in the_problem_of(**{setting: "True"}).wrong


GOOD_VALUES: list[tuple[str, Any]] = [
    ("local_domain", "xn--mller-kva.example"),
    ("web_domain", "social.example.org"),
    ("alternate_domains", ["example.net", "abcdefghijklmnop.onion"]),
    ("alternate_domains", ("example.net",)),
    ("smtp_server", "198.51.100.25"),
    ("smtp_server", "mailserver"),
    ("smtp_from_address", "The Site <site@example.org>"),
    ("smtp_from_address", "site+mastodon@example.org"),
    ("smtp_from_address", "Café (die Gruppe) @ home & co. {1} <site@example.org>"),
    ("acme_email", ""),
    ("proxy_downstream_addresses", ["203.0.113.0/24", "198.51.100.7", "2001:db8::/32", "10.0.0.0/8"]),
    ("mastodon_version", "v4.4.0"),
    ("mastodon_version", "v10.12.103"),
    ("mastodon_image", "registry.example.org:5000/team/mastodon"),
    ("postgres_image", "postgres:17"),
    ("postgres_image", "postgres" + DIGEST),
    ("postgres_image", "registry.example.org:5000/postgres:17.2" + DIGEST),
    ("mastodon_root", "/mnt/data/mastodon-1"),
    ("swap_path", "/var/swap.d/swap"),
    ("swap_size_mib", 0),
    ("default_locale", "pt-BR"),
    ("default_locale", "sr-Latn"),
    ("default_locale", "ckb"),
    ("default_locale", "nan-TW"),
    ("s3_endpoint", "http://198.51.100.9:9000"),
    ("s3_endpoint", "https://s3.example.org"),
    ("s3_alias_host", "media.example.org/bucket"),
    ("networks_ipv6", False),
    ("docker_version", "5:29.1.2-1~debian.13~trixie"),
    ("docker_bind_address", "::1"),
    ("acme_directory", "https://acme.example.org:14000/dir"),
    ("web_processes", 0),
    ("mastodon_environment", {"IP_RETENTION_PERIOD": "31556952", "LOG_LEVEL": "debug", "TRUSTED_PROXY_IP": ""}),
    ("mastodon_environment", {"AUTHORIZED_FETCH": "true", "http_proxy": "http://198.51.100.9:3128"}),
]


@pytest.mark.parametrize(("setting", "value"), GOOD_VALUES, ids=[f"{row[0]}={row[1]!r}" for row in GOOD_VALUES])
def test_a_good_value_is_taken_as_it_is(setting: str, value: Any) -> None:
    settings, problems = examine(REQUIRED | {setting: value})
    assert not problems
    assert getattr(settings, setting) == (tuple(value) if isinstance(value, list) else value)


def test_a_fingerprint_may_have_the_spaces_that_gpg_prints() -> None:
    spaced = "9dc8 5822 9fc7 dd38 854a  e2d8 8d81 803c 0ebf cd88"
    settings, _ = examine(REQUIRED | {"docker_key_fingerprint": spaced})
    assert settings is not None
    assert settings.docker_key_fingerprint == "9DC858229FC7DD38854AE2D88D81803C0EBFCD88"


def test_a_missing_setting_that_must_be_set_is_named() -> None:
    _, problems = examine({})
    # In the order of group_data/all.py.
    assert [problem.subject for problem in problems] == ["local_domain", "smtp_server", "smtp_from_address"]
    assert {problem.wrong for problem in problems} == {"it is not set"}


BROKEN_RELATIONS: list[tuple[dict[str, Any], str, str, str]] = [
    # settings, subject, part of what is wrong, part of what to type instead
    ({"smtp_port": 465}, "smtp_tls", "port 465", "smtp_tls = True"),
    ({"smtp_tls": True}, "smtp_tls", "port 587", "smtp_port = 465"),
    ({"smtp_tls": True, "smtp_port": 25}, "smtp_tls", "port 25", "smtp_port = 465"),
    ({"smtp_login": "mastodon"}, "SMTP_PASSWORD", "its password is not", "SMTP_PASSWORD='...' in secrets.env"),
    ({"proxy_root": "/srv/mastodon/proxy"}, "proxy_root", "lies in mastodon_root", "place of its own"),
    ({"proxy_root": "/srv/mastodon"}, "proxy_root", "lies in mastodon_root", "place of its own"),
    ({"mastodon_root": "/srv/proxy/mastodon"}, "mastodon_root", "lies in proxy_root", "place of its own"),
    ({"swap_path": "/srv/mastodon/swap"}, "swap_path", "lies in mastodon_root", "place of its own"),
    (
        {"backup_keep_daily": 0, "backup_keep_weekly": 0, "backup_keep_monthly": 0},
        "backup_keep_daily",
        "no backup at all",
        "backup_keep_daily = 7",
    ),
    ({"alternate_domains": ["social.example.org"]}, "alternate_domains", "named twice", "remove"),
    ({"alternate_domains": ["a.example.net", "a.example.net"]}, "alternate_domains", "named twice", "remove"),
    (
        {"acme_staging": True, "acme_directory": "https://acme.example.org/dir"},
        "acme_staging",
        "https://acme.example.org/dir",
        "acme_staging = False",
    ),
    ({"postgres_image": "postgres:13-bookworm"}, "postgres_image", "needs 14", versions.POSTGRES_IMAGE),
    ({"postgres_image": "registry.example.org:5000/library/postgres:9.6"}, "postgres_image", "needs 14", "postgres_"),
    ({"redis_image": "redis:6.2-alpine"}, "redis_image", "needs 7.0", versions.REDIS_IMAGE),
    (
        {"postgres_image": "postgres:17-alpine"},
        "postgres_image",
        "user 999",
        versions.POSTGRES_IMAGE,
    ),
    (
        {"postgres_memory_mib": 512, "postgres_shared_buffers_mib": 1024},
        "postgres_memory_mib",
        "could not start",
        "postgres_memory_mib = 1152",
    ),
]


@pytest.mark.parametrize(
    ("values", "subject", "wrong", "instead"), BROKEN_RELATIONS, ids=[str(row[0]) for row in BROKEN_RELATIONS]
)
def test_settings_that_contradict_each_other_are_refused(
    values: dict[str, Any], subject: str, wrong: str, instead: str
) -> None:
    problem = the_problem_of(**values)
    assert problem.subject == subject
    assert wrong in problem.wrong
    assert instead in problem.instead


def test_a_login_needs_a_way_to_log_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", "sesame")
    problem = the_problem_of(smtp_login="mastodon", smtp_authentication="none")
    assert problem.subject == "smtp_authentication"


def test_a_password_needs_a_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", "sesame")
    assert the_problem_of().subject == "smtp_login"


def test_a_login_with_its_password_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", "sesame")
    assert problems_of(smtp_login="mastodon") == []


def test_object_storage_needs_a_bucket_and_both_keys() -> None:
    subjects = {problem.subject for problem in problems_of(s3_enabled=True)}
    assert subjects == {"s3_bucket", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}


@pytest.mark.parametrize(
    "values",
    [
        {"postgres_image": "postgres:14"},
        {"redis_image": "redis:7"},
        {"redis_image": "redis:7.0-alpine"},
        {"redis_image": "registry.example.org/our-redis:1.0"},
        {"postgres_image": "postgres" + DIGEST},
        {"postgres_image": "registry.example.org/mypostgres:3"},
    ],
    ids=str,
)
def test_stores_that_are_new_enough_or_count_otherwise_are_accepted(values: dict[str, Any]) -> None:
    assert problems_of(**values) == []


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The settings of an object store, as far as they are never wrong here."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    return {"s3_enabled": True, "s3_bucket": "media"}


def test_an_endpoint_without_a_host_for_its_pictures_is_refused_with_the_one_that_was_meant(
    store: dict[str, Any],
) -> None:
    problem = the_problem_of(**store, s3_endpoint="https://s3.example.org:9000")
    assert (problem.subject, problem.instead) == ("s3_hostname", 's3_hostname = "s3.example.org:9000"')
    assert problems_of(**store, s3_endpoint="https://s3.example.org", s3_hostname="s3.example.org") == []
    assert problems_of(**store, s3_endpoint="https://s3.example.org", s3_alias_host="media.example.org") == []


def test_an_endpoint_that_ends_with_the_bucket_is_refused(store: dict[str, Any]) -> None:
    place = {"s3_alias_host": "media.example.org"}
    problem = the_problem_of(**store, **place, s3_endpoint="https://0a1b.r2.example.com/media")
    assert (problem.subject, problem.instead) == ("s3_endpoint", 's3_endpoint = "https://0a1b.r2.example.com"')
    for endpoint in ("https://x.example.co/storage/v1/s3", "https://media", "https://example.org/multimedia"):
        assert problems_of(**store, **place, s3_endpoint=endpoint) == []


@pytest.mark.parametrize("hostname", ["", "198.51.100.9:9000"])
def test_pictures_without_tls_are_refused(store: dict[str, Any], hostname: str) -> None:
    endpoint = "http://198.51.100.9:9000"
    problem = the_problem_of(**store, s3_endpoint=endpoint, s3_hostname=hostname)
    assert problem.subject == "s3_alias_host"
    assert "without TLS" in problem.wrong
    assert problems_of(**store, s3_endpoint=endpoint, s3_alias_host="media.example.org") == []
    assert problems_of(**store, s3_endpoint=endpoint, s3_hostname="media.example.org") == []


def test_object_storage_with_bucket_and_keys_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert problems_of(s3_enabled=True, s3_bucket="media") == []


def test_patches_are_refused_for_official_images(tmp_path: Path) -> None:
    (tmp_path / "0001-theme.patch").write_text("diff")
    problem = the_problem_of(images_patches_directory=str(tmp_path))
    assert "no effect" in problem.wrong
    assert 'mastodon_image_source = "source"' in problem.instead
    assert problems_of(images_patches_directory=str(tmp_path), mastodon_image_source="source") == []


def test_a_directory_without_patches_is_refused(tmp_path: Path) -> None:
    problem = the_problem_of(images_patches_directory=str(tmp_path), mastodon_image_source="source")
    assert "no *.patch file" in problem.wrong


def test_the_local_domain_may_be_served_beside_the_web_domain() -> None:
    assert problems_of(web_domain="www.example.org", alternate_domains=["social.example.org"]) == []


def test_a_relation_is_not_judged_on_values_that_are_wrong_themselves() -> None:
    problems = problems_of(smtp_port="465", smtp_tls=True)
    assert [problem.subject for problem in problems] == ["smtp_port"]


BAD_VARIABLES: list[tuple[str, Any, str, str]] = [
    # variable, value, part of what is wrong, part of what to type instead
    ("authorized-fetch", "true", "capitals", "AUTHORIZED_FETCH"),
    ("OTP_SECRET", "x", "not read since 4.4", "remove it"),
    ("REDIS_NAMESPACE", "x", "refuses to boot", "remove it"),
    ("WHITELIST_MODE", "true", "renamed", "LIMITED_FEDERATION_MODE"),
    ("S3_CLOUDFRONT_HOST", "x", "renamed", "s3_alias_host"),
    ("STATSD_ADDR", "x", "not read since 4.3", "remove it"),
    ("FETCH_REPLIES_ENABLED", "true", "not read since 4.5", "remove it"),
    ("MASTODON_USE_LIBVIPS", "false", "not read since 4.6", "remove it"),
    ("DB_SSLMODE", "require", "speaks no TLS", "remove it"),
    ("PGSSLMODE", "verify-full", "speaks no TLS", "remove it"),
    ("REPLICA_DB_PASS", "sesame", "secret", "secrets.env"),
    ("LIMITED_FEDERATION_MODE", "True", 'nothing but "true"', '"LIMITED_FEDERATION_MODE": "true"'),
    ("DISALLOW_UNAUTHENTICATED_API_ACCESS", "yes", 'nothing but "true"', ': "true"'),
    ("OMNIAUTH_ONLY", "1", 'nothing but "true"', '"OMNIAUTH_ONLY": "true"'),
    ("PREPARED_STATEMENTS", "0", 'nothing but "false" for false', '"PREPARED_STATEMENTS": "false"'),
    ("ES_ENABLED", "", 'nothing but "false" for false', '"ES_ENABLED": "false"'),
    ("CAS_ENABLED", "perhaps", 'nothing but "true"', '"CAS_ENABLED": "true" or "CAS_ENABLED": "false"'),
    ("IP_RETENTION_PERIOD", "1.year", "nothing but digits", '"IP_RETENTION_PERIOD": "3600"'),
    ("SESSION_RETENTION_PERIOD", "", "nothing but digits", "3600"),
    ("MAX_SESSION_ACTIVATIONS", "ten", "nothing but digits", "3600"),
    ("SMTP_REPLY_TO", "Acme, Inc. <a@example.org>", "with , in the name", '"SMTP_REPLY_TO": "admin@example.org"'),
    ("SMTP_RETURN_PATH", "bounces", "not a mail address", '"SMTP_RETURN_PATH": "admin@example.org"'),
    ("http_proxy", "http://[2001:db8::1:3128", "begin with http://", '"http_proxy": '),
    ("http_proxy", "proxy.example.net:3128", "begin with http://", '"http_proxy": "http://proxy.example.net:3128"'),
    ("http_hidden_proxy", "socks5://127.0.0.1:9050", "begin with http://", '"http://127.0.0.1:9050"'),
    ("STREAMING_API_BASE_URL", "streaming.example.org", "begin with wss://", '"wss://streaming.example.org"'),
    ("LDAP_METHOD", "starttls", 'knows only "simple_tls", "start_tls"', '"LDAP_METHOD": "start_tls"'),
    ("ES_PRESET", "huge", '"large_cluster"', '"ES_PRESET": "single_node_cluster"'),
    ("LOG_LEVEL", "silly", '"trace"', '"LOG_LEVEL": '),
    ("TRUSTED_PROXY_IP", "203.0.113.0/24", "lacks 127.0.0.0/8", 'proxy_downstream_addresses = ["203.0.113.0/24"]'),
    ("TRUSTED_PROXY_IP", "10.0.0.0/8,127.0.0.0/8", "lacks ::1/128", "remove it"),
    ("TRUSTED_PROXY_IP", "0.0.0.0/0 ::/0", "everybody", "remove it"),
    ("TRUSTED_PROXY_IP", "loopback,uniquelocal", '"loopback" is not an address', "192.0.2.0/24"),
    ("ALLOWED_PRIVATE_ADDRESSES", "10.0.0.1, intranet", '"intranet" is not an address', "192.0.2.0/24"),
    ("LOCAL_DOMAIN", "x", "setting of its own", "local_domain"),
    ("MAX_THREADS", "5", "setting of its own", "web_threads"),
    ("SMTP_PASSWORD", "sesame", "secret", "secrets.env"),
    ("SECRET_KEY_BASE", "sesame", "made on the server", "remove it"),
    ("VAPID_PRIVATE_KEY", "sesame", "made on the server", "remove it"),
    ("DB_HOST", "x", "the suite decides it", "remove it"),
    ("SECRET_KEY_BASE_DUMMY", "1", "the suite decides it", "remove it"),
    ("REDIS_DB", "1", "the suite decides it", "remove it"),
    ("REDIS_SENTINELS", "x", "the suite decides it", "remove it"),
    ("SOCKET", "x", "the suite decides it", "remove it"),
    ("DEEPL_API_KEY", "sesame", "secret", "secrets.env"),
    ("MAX_SESSION_ACTIVATIONS", 5, "text in quotes, not a number", '"MAX_SESSION_ACTIVATIONS": "5"'),
    ("AUTHORIZED_FETCH", True, "text in quotes, not True or False", '"AUTHORIZED_FETCH": "true"'),
    ("DEEPL_PLAN", None, "text in quotes, not None", "remove it"),
    ("DEEPL_PLAN", "two\nlines", "line break", "one line of text"),
    ("DEEPL_PLAN", "it's", "single quote", "one line of text"),
]


@pytest.mark.parametrize(
    ("variable", "value", "wrong", "instead"), BAD_VARIABLES, ids=[f"{row[0]}={row[1]!r}" for row in BAD_VARIABLES]
)
def test_a_variable_that_cannot_be_set_is_refused(variable: str, value: Any, wrong: str, instead: str) -> None:
    problem = the_problem_of(mastodon_environment={"AUTHORIZED_FETCH": "true", variable: value})
    assert problem.subject == f'mastodon_environment["{variable}"]'
    assert wrong in problem.wrong
    assert instead in problem.instead


def test_a_variable_that_an_older_release_reads_is_its_own() -> None:
    values = {"FETCH_REPLIES_ENABLED": "true", "FETCH_REPLIES_MAX_SINGLE": "5"}
    assert problems_of(mastodon_environment=values, mastodon_version="v4.4.27") == []
    assert problems_of(mastodon_environment={"MASTODON_USE_LIBVIPS": "true"}, mastodon_version="v4.5.20") == []


@pytest.mark.parametrize("switch", sorted(SWITCHES - set(READ_BEFORE) - {"FETCH_REPLIES_ENABLED"}))
def test_every_switch_takes_true_and_false_and_no_other_word(switch: str, secrets_of_everything: None) -> None:
    place = {HOSTS[switch]: "elsewhere.example.org"} if switch in HOSTS else {}
    for word in ("true", "false"):
        assert problems_of(mastodon_environment={switch: word, **place}) == []
    for word in ("True", "TRUE", "yes", "1", "on", "False", " true", "no", ""):
        problem = the_problem_of(mastodon_environment={switch: word})
        assert problem.subject == f'mastodon_environment["{switch}"]'


@pytest.fixture
def secrets_of_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file with every secret that a variable may want."""
    file = tmp_path / "everything.env"
    file.write_text("".join(f"{name}=x\n" for name, secret in OPERATOR_SECRETS.items() if secret.needed_by))
    file.chmod(0o600)
    monkeypatch.setattr(secrets, "SECRETS_FILE", file)


NEEDED = [(name, variable) for name, secret in OPERATOR_SECRETS.items() for variable in secret.needed_by]


@pytest.mark.parametrize(("secret", "variable"), NEEDED)
def test_what_is_turned_on_without_its_secret_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: str, variable: str
) -> None:
    value = WORDS.get(variable, ("true",))[0]
    place = {HOSTS[variable]: "elsewhere.example.org"} if variable in HOSTS else {}
    problem = the_problem_of(mastodon_environment={variable: value, **place})
    assert problem.subject == secret
    assert variable in problem.wrong
    assert f"{secret}='...' in secrets.env" in problem.instead
    file = tmp_path / "secrets.env"
    file.write_text(f"{secret}='x'\n")
    file.chmod(0o600)
    assert problems_of(mastodon_environment={variable: value, **place}) == []


@pytest.mark.parametrize("place", [None, "localhost", "http://localhost:9200", "127.0.0.1", ""])
def test_what_is_turned_on_has_a_place_that_is_not_the_container_itself(place: str | None) -> None:
    named = {} if place is None else {"ES_HOST": place}
    problem = the_problem_of(mastodon_environment={"ES_ENABLED": "true", **named})
    assert problem.subject == 'mastodon_environment["ES_HOST"]' and "container itself" in problem.wrong
    assert problems_of(mastodon_environment={"ES_ENABLED": "false", **named}) == []
    assert problems_of(mastodon_environment={"ES_ENABLED": "true", "ES_HOST": "es"}) == []


def test_what_is_turned_off_needs_no_secret() -> None:
    for switch in ("OIDC_ENABLED", "LDAP_ENABLED", "SWIFT_ENABLED", "AZURE_ENABLED"):
        assert problems_of(mastodon_environment={switch: "false"}) == []


def test_a_public_client_of_openid_connect_needs_no_secret() -> None:
    assert problems_of(mastodon_environment={"OIDC_ENABLED": "true", "OIDC_USE_PKCE": "true"}) == []
    assert the_problem_of(mastodon_environment={"OIDC_ENABLED": "true", "OIDC_USE_PKCE": "false"}).subject == (
        "OIDC_CLIENT_SECRET"
    )


def test_addresses_in_front_of_the_proxy_are_trusted_by_all_of_mastodon_beside_the_private_ones() -> None:
    settings, problems = examine(REQUIRED | {"proxy_downstream_addresses": ["203.0.113.0/24", "2001:db8::/32"]})
    assert not problems
    assert settings is not None
    trusted = "127.0.0.0/8,::1,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7,203.0.113.0/24,2001:db8::/32"
    sizing = sizing_for(4096, settings)
    for variables in (mastodon_variables(settings, sizing), streaming_variables(settings, sizing)):
        assert variables["TRUSTED_PROXY_IP"] == trusted
    # What the setting writes would be accepted by hand, but not both.
    assert problems_of(mastodon_environment={"TRUSTED_PROXY_IP": trusted}) == []
    both = {"proxy_downstream_addresses": ["203.0.113.0/24"], "mastodon_environment": {"TRUSTED_PROXY_IP": trusted}}
    assert "proxy_downstream_addresses writes it" in the_problem_of(**both).wrong


def test_without_anything_in_front_mastodon_trusts_what_rails_does() -> None:
    settings, _ = examine(REQUIRED)
    assert settings is not None
    assert "TRUSTED_PROXY_IP" not in mastodon_variables(settings, sizing_for(4096, settings))


def test_a_renamed_setting_says_its_new_name() -> None:
    problem = the_problem_of(proxy_trust_downstream=True)
    assert "proxy_downstream_addresses" in problem.wrong
    assert 'proxy_downstream_addresses = ["203.0.113.0/24"]' in problem.instead


@pytest.mark.parametrize("variable", [*DEAD_VARIABLES, *OWNED_BY_SETTINGS, *(f"{each}X" for each in DEAD_PREFIXES)])
def test_no_dead_variable_and_none_with_a_setting_gets_through(variable: str) -> None:
    assert the_problem_of(mastodon_environment={variable: "x"}).subject == f'mastodon_environment["{variable}"]'


def test_the_text_of_a_variable_is_not_shown_for_it_may_be_a_secret() -> None:
    problems = problems_of(mastodon_environment={"SMTP_PASSWORD": "sesame", "DEEPL_PLAN": "sesame\n"})
    assert len(problems) == 2
    assert "sesame" not in "".join(map(str, problems))


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("AUTHORISED_FETCH", '"AUTHORIZED_FETCH"'),
        ("AUTHORIZE_FETCH", '"AUTHORIZED_FETCH"'),
        ("LIMITED_FEDERATION", '"LIMITED_FEDERATION_MODE"'),
        ("DISALLOW_UNAUTHENTICATED_API_ACESS", '"DISALLOW_UNAUTHENTICATED_API_ACCESS"'),
        ("IP_RETENTION_PERIODE", '"IP_RETENTION_PERIOD"'),
        ("EMAIL_DOMAIN_ALLOW_LIST", '"EMAIL_DOMAIN_ALLOWLIST"'),
        ("HTTP_PROXY", '"http_proxy"'),
        ("SMTP_PASWORD", '"SMTP_PASSWORD"'),
        ("S3_ENABLE", "the setting s3_enabled"),
    ],
)
def test_a_name_that_is_almost_that_of_a_variable_is_refused(variable: str, meant: str) -> None:
    problem = the_problem_of(mastodon_environment={variable: "true"})
    assert problem.subject == f'mastodon_environment["{variable}"]'
    assert problem.instead == meant


@pytest.mark.parametrize(
    "variable",
    [
        *("MALLOC_ARENA_MAX", "LD_PRELOAD", "RUBY_YJIT_ENABLE", "NODE_OPTIONS", "TZ", "RAILS_MAX_THREADS"),
        *("https_proxy", "no_proxy", "NO_PROXY", "OTEL_SERVICE_NAME", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"),
        *("CACHE_REDIS_SENTINEL_MASTER", "MASTODON_PROMETHEUS_EXPORTER_HOST", "LDAP_HOST", "AWS_REGION"),
    ],
)
def test_a_name_of_its_own_is_not(variable: str) -> None:
    assert not [each for each in problems_of(mastodon_environment={variable: "1"}) if variable in each.subject]


@pytest.mark.parametrize(
    ("variable", "value", "remedy"),
    [
        ("http_proxy", "http://alice:sesame@198.51.100.9:3128", "http_proxy='...' in secrets.env"),
        ("CACHE_REDIS_URL", "redis://:sesame@redis.example.org/1", "CACHE_REDIS_URL='...' in secrets.env"),
        ("REPLICA_DATABASE_URL", "postgresql://a:sesame@db.example.org/x", "REPLICA_DATABASE_URL='...' in secrets.env"),
        ("ES_HOST", "https://elastic:sesame@es.example.org", "the URL without its password"),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "authorization=sesame", "secrets.env"),
        ("SIDEKIQ_REDIS_SENTINEL_PASSWORD", "sesame", "secrets.env"),
    ],
)
def test_a_password_in_a_variable_is_sent_to_the_secrets_and_not_shown(variable: str, value: str, remedy: str) -> None:
    problem = the_problem_of(mastodon_environment={variable: value})
    assert problem.subject == f'mastodon_environment["{variable}"]'
    assert remedy in problem.instead
    assert "sesame" not in str(problem)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("http_proxy", "http://198.51.100.9:3128"),
        ("CACHE_REDIS_URL", "redis://redis.example.org:6379/1"),
        ("CACHE_REDIS_URL", "redis://alice@redis.example.org/1"),
        ("SOURCE_BASE_URL", "https://git.example.org:8443/@alice/mastodon"),
    ],
)
def test_a_url_without_a_password_may_stay_a_variable(variable: str, value: str) -> None:
    assert problems_of(mastodon_environment={variable: value}) == []


def test_a_language_that_the_release_does_not_have_yet_is_refused() -> None:
    problem = the_problem_of(default_locale="nan-TW", mastodon_version="v4.5.20")
    assert problem.subject == "default_locale" and "since 4.6" in problem.wrong


def test_a_url_has_one_value(tmp_path: Path) -> None:
    file = tmp_path / "secrets.env"
    file.write_text("http_proxy='http://a:b@198.51.100.9:3128'\n")
    file.chmod(0o600)
    assert problems_of() == []
    problem = the_problem_of(mastodon_environment={"http_proxy": "http://198.51.100.9:3128"})
    assert "secrets.env has a value for it too" in problem.wrong


UNKNOWN_KEYS = [
    ("smtp_prot", "smtp_port"),
    ("local_domian", "local_domain"),
    ("mastodon_versoin", "mastodon_version"),
    ("_sudoo", "_sudo"),
    ("zzzzzz", "docs/settings.md"),
]


@pytest.mark.parametrize(("key", "instead"), UNKNOWN_KEYS, ids=[key for key, _ in UNKNOWN_KEYS])
def test_an_unknown_key_is_answered_with_the_nearest_known_one(key: str, instead: str) -> None:
    problem = the_problem_of(**{key: "x"})
    assert problem.subject == key
    assert instead in problem.instead


def test_a_secret_among_the_settings_is_sent_to_its_file_and_not_shown() -> None:
    problem = the_problem_of(smtp_password="sesame")
    assert "secrets.env" in problem.instead
    assert "sesame" not in str(problem)


@pytest.mark.parametrize("key", ["ssh_user", "ssh_hostname", "_sudo", "_env", "fake_responses", "docker_identifier"])
def test_keys_of_pyinfra_itself_are_not_ours_to_judge(key: str) -> None:
    assert problems_of(**{key: "x"}) == []


def certificate_file(path: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Private authority")])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    certificate = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    path.write_bytes(certificate.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return path


def test_a_bundle_of_certificates_is_accepted_with_words_around_it(tmp_path: Path) -> None:
    bundle = certificate_file(tmp_path / "roots.pem")
    bundle.write_text("# Zertifizierungsstelle für uns\n" + bundle.read_text(), encoding="utf-8")
    settings, problems = examine(REQUIRED | {"acme_ca_bundle": str(bundle)})
    assert not problems
    assert settings is not None
    assert settings.acme_ca_bundle == str(bundle)


@pytest.mark.parametrize(
    "content", ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_a_bundle_without_certificates_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "roots.pem").write_text(content)
    assert "does not hold certificates" in the_problem_of(acme_ca_bundle=str(tmp_path / "roots.pem")).wrong


def host_with(**data: Any) -> Any:
    state = State(Inventory((["@fake/server"], data)), Config())  # type: ignore[no-untyped-call]
    return next(iter(state.inventory))


def test_all_problems_come_in_one_error() -> None:
    host = host_with(**REQUIRED | {"local_domain": "https://example.org", "smtp_port": 465, "smtp_prot": 1})
    with pytest.raises(DeployError) as error:
        settings_for(host)
    text = str(error.value)
    assert "@fake/server" in text
    for part in (
        "local_domain",
        '"https://example.org"',
        'local_domain = "example.org"',
        "smtp_tls = True",
        "smtp_prot",
    ):
        assert part in text


def test_the_settings_of_a_host_are_frozen() -> None:
    settings = settings_for(host_with(**REQUIRED))
    assert settings.local_domain == "social.example.org"
    with pytest.raises(ValueError, match="frozen"):
        settings.local_domain = "other.example.org"


def test_a_problem_of_the_secrets_file_stands_beside_those_of_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "secrets.env"
    file.write_text("SMTP_PASWORD=x\n")
    file.chmod(0o600)
    monkeypatch.setattr(secrets, "SECRETS_FILE", file)
    subjects = [problem.subject for problem in problems_of(smtp_port=0)]
    assert subjects == ["smtp_port", f"{file}, line 1"]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.dates(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*Settings.model_fields]) | st.text(), anything, max_size=6))
def test_whatever_is_set_there_is_never_a_traceback(values: dict[str, Any]) -> None:
    settings, problems = examine(values)
    assert settings is None
    assert all(str(problem) for problem in problems)


def test_derived_values_follow_the_settings() -> None:
    settings, _ = examine(REQUIRED | {"mastodon_image": "example.org/m", "mastodon_version": "v4.6.9"})
    assert settings is not None
    assert settings.mastodon_image_reference == "example.org/m:v4.6.9"
    assert settings.mastodon_streaming_image_reference == "ghcr.io/mastodon/mastodon-streaming:v4.6.9"
    assert settings.site_domain == "social.example.org"
    assert settings.acme_directory_url == "https://acme-v02.api.letsencrypt.org/directory"
    assert settings.smtp_enable_starttls == "always"
    assert settings.smtp_auth_method == "none"


def test_what_other_settings_decide_is_derived(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", "sesame")
    values = {"web_domain": "www.example.org", "acme_staging": True, "smtp_port": 465, "smtp_tls": True}
    settings, _ = examine(REQUIRED | values | {"smtp_login": "mastodon"})
    assert settings is not None
    assert settings.site_domain == "www.example.org"
    assert settings.acme_directory_url == "https://acme-staging-v02.api.letsencrypt.org/directory"
    assert settings.smtp_enable_starttls == "never"
    assert settings.smtp_auth_method == "plain"
