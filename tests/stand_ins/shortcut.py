"""Requests of this process handed to the stand-ins directly: for tests of thousands of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectionClosedError

from tests.stand_ins.internet import Internet, Request, Response


class Shortcut:
    """Without sockets and TLS. botocore and requests still build, sign and read what is sent."""

    def __init__(self, internet: Internet):
        self._internet = internet

    def requests_send(self, adapter: Any, request: Any, **_: Any) -> requests.Response:
        """In place of requests.adapters.HTTPAdapter.send."""
        response = self._respond(request.method, request.url, request.headers, request.body)
        if response is None:
            raise requests.ConnectionError("Connection aborted.")
        result = requests.Response()
        result.status_code, result.url, result.request = response.status, request.url, request
        result.headers = requests.structures.CaseInsensitiveDict(response.headers)
        result._content = response.body
        return result

    def botocore_send(self, session: Any, request: Any) -> AWSResponse:
        """In place of botocore.httpsession.URLLib3Session.send."""
        response = self._respond(request.method, request.url, request.headers, request.body)
        if response is None:
            raise ConnectionClosedError(endpoint_url=request.url)
        result = AWSResponse(request.url, response.status, HTTPHeaders.from_dict(dict(response.headers)), None)
        result._content = response.body
        return result

    def _respond(self, method: str, url: str, headers: Mapping[str, Any], body: Any) -> Response | None:
        parts = urlsplit(url)
        plain = {
            name.lower(): value.decode() if isinstance(value, bytes) else str(value) for name, value in headers.items()
        }
        plain.setdefault("host", str(parts.hostname))
        content = body.encode() if isinstance(body, str) else body or b""
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        host = str(parts.hostname)
        return self._internet.respond(Request(method, host, parts.path, parts.query, query, plain, content))
