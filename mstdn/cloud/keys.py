"""
The providers' keys: what lets provision.py act in the operator's accounts.

They have a table of their own, apart from the secrets of the server, because none of them may ever reach a server:
whoever holds one can move the site elsewhere. They come from the same secrets.env, or from the environment.
"""

from __future__ import annotations

PROVIDER_KEYS = {
    "HCLOUD_TOKEN": "Hetzner: a token of the project with the right Read & Write, for server, firewall and DNS.",
    "CLOUDFLARE_API_TOKEN": "Cloudflare: an API token with Zone Read and DNS Edit for the zone.",
    # Not AWS_ACCESS_KEY_ID: with s3_enabled that key lies on the server, which could then move its own name.
    "ROUTE53_ACCESS_KEY_ID": "Route 53: the access key, where no profile of AWS is used.",
    "ROUTE53_SECRET_ACCESS_KEY": "Route 53: the secret key that belongs to it.",
    "SPARKPOST_API_KEY": "SparkPost: an API key with Sending Domains: Read/Write. SMTP_PASSWORD is another one.",
}
