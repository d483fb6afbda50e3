"""
What has to be done so that each name is served with a good certificate. Pure.

acme-companion keeps three things that may disagree: what its client (acme.sh) knows and keeps, the copies of that for
nginx, and the links by which docker-gen finds those. The client renews by its own records only: files that were lost,
or a certificate that somebody replaced, it does not see before the next renewal is due. So each is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from mstdn.certificates.facts import Certificate, CertificateFiles

DAY = 86400
# With less than this a renewal has failed for days: Let's Encrypt's 90 days are renewed after 60. Certificates may also
# live for six days only, so it is never more than a third of their life.
LEAST_DAYS = 20
# After a start everything is looked at anew and linked, and what is missing is ordered: nobody has to be told. But
# lost files do not come back by that while the client has its records ("Domains not changed.", acme-companion 2.8.2).
SETTLED_SECONDS = 30


@dataclass
class Steps:
    """
    What to do, in this order. `install`: names whose certificate the client keeps. `order`: names for which the client
    has to forget what it has, so that it orders a new one: authorities count orders. `ask`: have the client look at all
    names now. `reload`: have nginx' configuration written anew and read. `reasons`: why, for people.
    """

    install: list[str] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    ask: bool = False
    reload: bool = False
    reasons: list[str] = field(default_factory=list)


def steps(found: CertificateFiles, names: Iterable[str], now: float) -> Steps:
    """
    The steps for these host names. now: seconds since the epoch, by the server's clock or one that agrees with it.
    """
    todo = Steps()
    if found.age is None or found.age < SETTLED_SECONDS:
        for name in names:
            # One that the client has got since the start it copies itself, a moment later.
            if found.age is not None and name in found.kept and name not in found.ordered:
                _put_back(name, found, now, todo)
        return todo
    if found.configuration != "accepted":
        todo.reload = True
        verdict = f"is {found.configuration}" if found.configuration != "refused" else ""
        todo.reasons.append(
            f"conf.d/default.conf {verdict}" if verdict else "nginx would not start with conf.d/default.conf"
        )
    for name in names:
        _look_at(name, found, now, todo)
    return todo


def _look_at(name: str, found: CertificateFiles, now: float, todo: Steps) -> None:
    installed, kept, served = found.installed.get(name), found.kept.get(name), found.served.get(name)
    if wrong := defect(installed, name, now):
        todo.reasons.append(f"{name}: {wrong}")
        todo.ask = todo.reload = True
        if kept and not defect(kept, name, now):
            todo.install.append(name)
        elif installed or kept:
            todo.order.append(name)
    elif kept and installed and kept.sum != installed.sum and not defect(kept, name, now):
        # Perhaps one that nobody trusts: whoever put it there, the client replaces it at its next renewal.
        todo.reasons.append(f"{name}: its certificate is not the one that the authority's client keeps")
        todo.install.append(name)
        todo.ask = todo.reload = True
    elif name not in found.linked:
        todo.reasons.append(f"{name}: nothing leads to its certificate")
        todo.ask = todo.reload = True
    elif installed and (served.sum if served else "") != installed.sum and found.configuration == "accepted":
        todo.reasons.append(f"{name}: nginx serves {'another' if served else 'no'} certificate")
        todo.reload = True


def _put_back(name: str, found: CertificateFiles, now: float, todo: Steps) -> None:
    wrong = defect(found.installed.get(name), name, now)
    if wrong and not defect(found.kept[name], name, now):
        todo.reasons.append(f"{name}: {wrong}")
        todo.install.append(name)
        todo.ask = todo.reload = True


def defect(certificate: Certificate | None, name: str, now: float) -> str:
    """What is wrong with a certificate for this host name, in words; "" if nothing is."""
    if certificate is None:
        return "its certificate is gone"
    if not certificate.sum:
        return "its certificate cannot be read"
    if not certificate.fits:
        return "its key is not the certificate's"
    if not any(covers(each, name) for each in certificate.names):
        return f"its certificate is for {', '.join(certificate.names) or 'nobody'}"
    if now < certificate.begin:
        return "its certificate is not valid yet"
    if now > certificate.end:
        return "its certificate ended"
    left = certificate.end - now
    if left < least_seconds(certificate.begin, certificate.end):
        return f"its certificate ends in {int(left // DAY)} days and was not renewed"
    return ""


def least_seconds(begin: float, end: float) -> float:
    """How much of its life a certificate should have left. begin, end: of its validity, seconds since the epoch."""
    return min(LEAST_DAYS * DAY, (end - begin) / 3)


def covers(pattern: str, name: str) -> bool:
    """Whether a certificate's name is for a host; a * stands for one label (RFC 9525, section 6.3)."""
    pattern, name = pattern.lower(), name.lower()
    return pattern == name or (pattern.startswith("*.") and "." in name and pattern[2:] == name.partition(".")[2])
