"""
Start the services of the lab's Internet; when one of them ends, end all.

    services.py OWN_IPV4 OWN_IPV6 CLOUDS_IPV4 [NAME,ADDRESS[,ADDRESS]...]

The names are those below example.org that the DNS knows; those in HOST_NAMES and OBJECT_STORE lead here, those in
PROVIDER_NAMES to the clouds. Of ZONES the clouds' own DNS knows.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

HOST_NAMES = Path("/lab/host-names")
PROVIDER_NAMES = Path("/lab/provider-names")
OBJECT_STORE = "fsn1.your-objectstorage.com"
ZONES = ("example", "awsdns-01.com", "awsdns-02.net", "ns.cloudflare.com", "ns.hetzner.com", "ns.hetzner.de")
DNS_NAMES = Path("/run/dnsmasq-names.conf")
SERVICES = {
    "DNS": ["dnsmasq", "--keep-in-foreground", "--conf-file=/lab/dnsmasq.conf"],
    "web": ["nginx", "-c", "/lab/nginx.conf", "-g", "daemon off;"],
    "registry": ["docker-registry", "serve", "/lab/registry.yml"],
    "git": ["fcgiwrap", "-s", "unix:/run/fcgiwrap.sock"],
    "ACME": ["pebble", "-config", "/lab/pebble.json", "-dnsserver", "127.0.0.1:53"],
    "mail": [sys.executable, "/lab/mail_sink.py"],
    **{
        f"object store, {part}": [f"swift-{part}-server", f"/etc/swift/{part}-server.conf"]
        for part in ("account", "container", "object", "proxy")
    },
}

# Without delays and without refusing good nonces on purpose: the lab tests the suite, not ACME clients.
ENVIRONMENT = {**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"}


def stop(signal_number: int, frame: FrameType | None) -> None:
    """Leave at once; the container, and with it the others, ends then too."""
    sys.exit(0)


def dns_names(own_ipv4: str, clouds_ipv4: str, records: list[str]) -> str:
    """Lines for dnsmasq's configuration."""
    places = dict.fromkeys([*HOST_NAMES.read_text().split(), OBJECT_STORE], own_ipv4)
    places |= dict.fromkeys(PROVIDER_NAMES.read_text().split(), clouds_ipv4)
    lines = [line for name, place in places.items() for line in (f"local=/{name}/", f"host-record={name},{place}")]
    lines += [f"server=/{zone}/{clouds_ipv4}" for zone in ZONES]
    return "".join(f"{line}\n" for line in [*lines, *(f"host-record={record}" for record in records)])


def main(own_ipv4: str, own_ipv6: str, clouds_ipv4: str, *records: str) -> None:
    """Run until a service ends or the container is stopped."""
    signal.signal(signal.SIGTERM, stop)
    # The ACME authority validates over IPv6 where a name has an AAAA record.
    subprocess.run(["ip", "-6", "address", "replace", f"{own_ipv6}/64", "dev", "eth0", "nodad"], check=True)
    DNS_NAMES.write_text(dns_names(own_ipv4, clouds_ipv4, list(records)))
    if os.path.exists("/run/fcgiwrap.sock"):  # left by a container that was killed
        os.unlink("/run/fcgiwrap.sock")
    processes = {subprocess.Popen(command, env=ENVIRONMENT).pid: name for name, command in SERVICES.items()}
    process_id, status = os.wait()
    sys.exit(f"{processes[process_id]} ended with status {os.waitstatus_to_exitcode(status)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
