"""What acme-companion's log means. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

# Most of its log is written by docker-gen, which watches for it, or says which step is next, or is about certificates
# that are in order. acme.sh 3.1.4 also complains about a Retry-After that is a date, and goes on. Source: the log of
# acme-companion 2.8.2 with docker-gen 0.17.2, for a certificate that came and for one that was refused.
_SAYS_NOTHING = re.compile(
    r"Received event|Debounce|did not change|Generated|Running|Watching|Sleep for|^$"
    r"|Domains not changed|Skipping\. Next|Add .--force|check log file|^-----|^[A-Za-z0-9+/=]{40,}$|^[A-Za-z0-9+/]+=+$"
    r"|Creating/renewal|Reloading nginx|Received signal|integer expression expected|^Info: "
    r"|\] (Using CA|Account key creation OK|Registering account|Registered$|ACCOUNT_THUMBPRINT|Creating domain key"
    r"|The domain key is here|Generating next|Single domain|Multi domain|Getting webroot|Verifying: |Processing\. "
    r"|Pending\. |Success$|Verification finished|Let's finalize|Le_OrderFinalize|Order status is .processing"
    r"|Sleeping for|Polling order|Downloading cert|Le_LinkCert|Cert success|Your (cert|pre-generated)"
    r"|The intermediate CA|And the full-chain|ARI suggestedWindow|Next renewal time|Installing )|is already verified"
)
MOST = 8


def telling_lines(log: Iterable[str]) -> list[str]:
    """The last lines of acme-companion's log that say why there is no certificate."""
    return [line for line in log if not _SAYS_NOTHING.search(line)][-MOST:]
