"""
Connections that record how far a request got, and a session without redirects or retries.

Whether a request may have been applied depends on whether a byte of it was written, which urllib3's exceptions don't
say. So the connections record it, per thread.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
import ssl
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST_LINE = 65_536
_MOST_INTERIM = 100


@dataclass
class Progress:
    """
    How far a request got.

    :param timeout: seconds without a byte, in either direction, after which it fails.
    :param sent: whether a byte of it may have been written.
    :param connecting: whether its connection is being made.
    :param connection: its socket.
    """

    timeout: float
    sent: bool = False
    connecting: bool = False
    connection: socket.socket | None = None

    def cut(self) -> None:
        """Shut the connection down from another thread, so that reading and writing fail."""
        if self.connection is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self.connection, socket.SHUT_RDWR)


_thread = threading.local()


@contextlib.contextmanager
def tracked(*, timeout: float, limit: float) -> Iterator[Progress]:
    """
    Track one request of this thread.

    :param timeout: seconds without a byte, in either direction, after which it fails.
    :param limit: seconds after which its connection is cut, even if bytes still trickle in.
    """
    progress = _thread.progress = Progress(timeout)
    timer = threading.Timer(limit, progress.cut)
    timer.daemon = True
    timer.start()
    try:
        yield progress
    finally:
        timer.cancel()


class _BoundedReader(io.BufferedReader):
    """
    Reads a reply with bounded lines and chunks.

    http.client and urllib3 read a line of a chunked body without a limit, and a chunk of negative length up to the end
    of the connection.
    """

    def read(self, size: int | None = -1) -> bytes:
        if size is None or size < 0:
            raise http.client.HTTPException("negative length")
        return super().read(size)

    def readline(self, size: int | None = -1) -> bytes:
        if size is not None and size >= 0:
            return super().readline(size)
        line = super().readline(_LONGEST_LINE + 1)
        if len(line) > _LONGEST_LINE:
            raise http.client.LineTooLong("chunk")
        return line


class _FinalResponse(http.client.HTTPResponse):
    """Skips all interim replies (1xx), not only ``100 Continue``, and drops cookies."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._interim = 0
        self.fp = _BoundedReader(self.fp.detach())

    def _read_status(self) -> Any:
        while True:
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if not 100 <= status < 200:
                return version, status, reason
            self._interim += 1
            if self._interim > _MOST_INTERIM:
                raise http.client.HTTPException(f"more than {_MOST_INTERIM} interim replies")
            http.client.parse_headers(self.fp)

    def begin(self) -> None:
        super().begin()
        # The session would send a cookie back, in requests of other threads.
        for name in ("Set-Cookie", "Set-Cookie2"):
            del self.msg[name]
        # urllib3 logs headers that it can't parse, and a server may have put the key there.
        self.msg.defects.clear()
        self.msg.set_payload("")


class _RecordsProgress:
    """Records when a connection is being made, when a byte is written, and the socket."""

    sock: Any
    response_class: Any = _FinalResponse
    #: Python's global ``http.client.HTTPConnection.debuglevel`` prints every header, including the key.
    debuglevel = 0

    def _new_conn(self) -> Any:
        # Recorded before the proxy and TLS handshakes, since these can trickle, too.
        _thread.progress.connection = super()._new_conn()  # type: ignore[misc]
        return _thread.progress.connection

    def connect(self) -> None:
        progress = _thread.progress
        progress.connecting = True
        super().connect()  # type: ignore[misc]
        progress.connecting = False
        self._use_timeout(progress)

    def putrequest(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is not None:
            self._use_timeout(_thread.progress)
        super().putrequest(*args, **kwargs)  # type: ignore[misc]

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        if not _thread.progress.connecting:
            _thread.progress.sent = True
        try:
            super().send(data)  # type: ignore[misc]
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
            # The server replied and closed before it read everything: urllib3 reads the reply after a broken pipe.
            raise BrokenPipeError(str(error)) from error

    def _use_timeout(self, progress: Progress) -> None:
        """Use the request's timeout: urllib3 would send the body with the connect timeout."""
        progress.connection = self.sock
        self.sock.settimeout(progress.timeout)


class _Connection(_RecordsProgress, HTTPConnection):
    pass


class _TLSConnection(_RecordsProgress, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


_POOLS = {"http": _Pool, "https": _TLSPool}


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        if proxy.lower().startswith("socks"):
            raise requests.exceptions.InvalidSchema(
                "SOCKS proxies are not supported: they hide whether a request was sent."
            )
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager


class Session(requests.Session):
    """A session without redirects or retries. With ``allow_redirects=False``, requests still parses them."""

    def __init__(self) -> None:
        super().__init__()
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Adapter(max_retries=urllib3.Retry(0, read=False)))

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return ``None``: no reply counts as a redirect."""
