"""Log lines in the two forms of Go's slog."""

from __future__ import annotations

import json
import re
import time

LEVELS = ("DEBUG", "INFO", "WARN", "ERROR")


class Log:
    """Lines on standard output in the two forms of Go's slog: key=value, or JSON."""

    def __init__(self, level: str, as_json: bool) -> None:
        self.threshold = LEVELS.index(level)
        self.as_json = as_json

    def __call__(self, level: str, message: str, **fields: object) -> None:
        if LEVELS.index(level) < self.threshold:
            return
        now = time.time()
        moment = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(now))}.{int(now % 1 * 1000):03d}Z"
        record = {"time": moment, "level": level, "msg": message, **fields}
        if self.as_json:
            line = json.dumps(record, default=str)
        else:
            line = " ".join(f"{_quoted(name)}={_quoted(value)}" for name, value in record.items())
        print(line, flush=True)


def _quoted(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if re.fullmatch(r'[^\s"=]+', text) and text.isprintable() else json.dumps(text)
