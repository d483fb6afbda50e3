"""What must hold between the settings of the object store."""

from __future__ import annotations

from collections.abc import Container, Iterator

from mstdn.problems import Problem


def s3_has_a_bucket_and_keys(s3_enabled: bool, s3_bucket: str, secrets: Container[str]) -> Iterator[Problem]:
    if not s3_enabled:
        return
    if not s3_bucket:
        yield Problem("s3_bucket", "s3_enabled is True but there is no bucket", 's3_bucket = "..."', '""')
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        if name not in secrets:
            yield Problem(name, "s3_enabled is True but this key is not set", f"{name}='...' in secrets.env")
