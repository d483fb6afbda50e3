"""What must hold between the settings of the instance."""

from __future__ import annotations

from collections.abc import Iterator

from mstdn.problems import Problem


def domains_are_named_once(local_domain: str, web_domain: str, alternate_domains: tuple[str, ...]) -> Iterator[Problem]:
    site_domain = web_domain or local_domain
    for domain in dict.fromkeys(alternate_domains):
        if domain == site_domain or alternate_domains.count(domain) > 1:
            yield Problem(
                "alternate_domains", f'"{domain}" is named twice', f'remove "{domain}" from alternate_domains'
            )
