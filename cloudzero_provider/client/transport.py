"""One request, one answer: a session that knows whether a failed request had been sent."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from cloudzero_provider import __version__

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloudzero_provider.client.config import ClientConfig

CONNECT_TIMEOUT = 10.0
#: No documented reply is longer, but for the contents of a month, which go to a file.
MAX_REPLY_BYTES = 16 * 1024 * 1024
_CHUNK = 256 * 1024

_connecting = threading.local()


class _NotesConnecting:
    """Says, per thread, whether a connection is being made: a failure meanwhile is a request that was not sent."""

    def connect(self) -> None:
        _connecting.now = True
        super().connect()  # type: ignore[misc]
        _connecting.now = False


class _Connection(_NotesConnecting, HTTPConnection):
    pass


class _TLSConnection(_NotesConnecting, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}
        return manager


class _BareKey(AuthBase):
    """Puts the key into the request. A header of the session would lose against an entry in ``.netrc``."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._key
        return request

    def __repr__(self) -> str:
        return "_BareKey(***)"


@dataclass(frozen=True)
class Reply:
    """An answer of CloudZero: its status, headers and body, and when the request began (``time.monotonic``)."""

    status: int
    headers: requests.structures.CaseInsensitiveDict[str]
    body: bytes = field(repr=False)
    began: float

    @property
    def ok(self) -> bool:
        """Whether the status is one of success."""
        return 200 <= self.status < 300


@dataclass(frozen=True)
class NoReply:
    """No answer came: whether the request had been sent, why in words, and when it began (``time.monotonic``)."""

    sent: bool
    reason: str
    began: float


class Transport:
    """
    Sends single requests.

    :param config: where to, with which key and time-outs.
    """

    def __init__(self, config: ClientConfig) -> None:
        self._config = config
        self._auth = _BareKey(config.api_key)
        self._session = requests.Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _Adapter(max_retries=urllib3.Retry(0, read=False)))
        self._session.headers["User-Agent"] = f"airflow-provider-cloudzero/{__version__}"

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    def exchange(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        save_to: BinaryIO | None = None,
        fresh: bool = False,
    ) -> Reply | NoReply:
        """
        Send one request, once.

        :param method: HTTP method.
        :param path: path and query.
        :param body: JSON, encoded.
        :param save_to: where the body of a successful answer goes; without it, into the reply.
        :param fresh: use a connection of its own, so that one which went stale can't be mistaken for a lost answer.
        """
        if fresh:
            self._session.close()
        began = time.monotonic()
        _connecting.now = False
        try:
            with self._session.request(
                method,
                self._config.base_url + path,
                data=body,
                headers={"Content-Type": "application/json"} if body is not None else None,
                auth=self._auth,
                timeout=(min(CONNECT_TIMEOUT, self._config.timeout), self._config.timeout),
                allow_redirects=False,
                stream=True,
            ) as response:
                target = save_to if save_to is not None and response.ok else None
                content = _read(response, target)
                return Reply(response.status_code, response.headers, content, began)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            return NoReply(sent=not _connecting.now, reason=_in_words(error), began=began)


def _read(response: requests.Response, save_to: BinaryIO | None) -> bytes:
    if save_to is not None:
        save_to.seek(0)
        save_to.truncate()
        _copy(response, save_to.write)
        return b""
    parts: list[bytes] = []
    _copy(response, parts.append, limit=MAX_REPLY_BYTES)
    return b"".join(parts)


def _copy(response: requests.Response, write: Callable[[bytes], Any], limit: int | None = None) -> None:
    size = 0
    for chunk in response.iter_content(_CHUNK):
        size += len(chunk)
        if limit is not None and size > limit:
            raise requests.RequestException(f"the answer is longer than {limit:,} bytes")
        write(chunk)


def _in_words(error: Exception) -> str:
    """Name the innermost cause: requests wraps it three times, with addresses of objects in between."""
    cause: BaseException = error
    while isinstance(inner := (cause.__cause__ or cause.__context__), Exception):
        cause = inner
    text = str(cause) or str(error)
    return f"{type(cause).__name__}: {text}" if text else type(cause).__name__
