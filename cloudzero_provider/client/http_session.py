"""
Connections that note how far a request got, and a session that does no more than it is told.

What became of a request hangs on whether a byte of it was written, which urllib3's exceptions don't tell. So the
connections themselves note it, per thread.
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
    """

    timeout: float
    sent: bool = False
    connecting: bool = False
    connection: socket.socket | None = None

    def cut(self) -> None:
        """Cut the connection, from another thread: whoever reads or writes on it then fails."""
        if self.connection is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self.connection, socket.SHUT_RDWR)


_here = threading.local()


@contextlib.contextmanager
def watched(*, timeout: float, limit: float) -> Iterator[Progress]:
    """
    Watch over one request of this thread.

    :param timeout: seconds without a byte, in either direction, after which it fails.
    :param limit: seconds after which its connection is cut, however busy: a slow drip must not go on for ever.
    """
    progress = _here.progress = Progress(timeout)
    timer = threading.Timer(limit, progress.cut)
    timer.daemon = True
    timer.start()
    try:
        yield progress
    finally:
        timer.cancel()


class _Bounded(io.BufferedReader):
    """
    What a server sends, never in pieces that only it sets a limit to.

    http.client and urllib3 read a line of a chunked body as long as it comes, and to the end of the connection where a
    chunk says that it has less than no bytes.
    """

    def read(self, size: int | None = -1) -> bytes:
        if size is None or size < 0:
            raise http.client.HTTPException("a length below zero")
        return super().read(size)

    def readline(self, size: int | None = -1) -> bytes:
        if size is not None and size >= 0:
            return super().readline(size)
        line = super().readline(_LONGEST_LINE + 1)
        if len(line) > _LONGEST_LINE:
            raise http.client.LineTooLong("chunk")
        return line


class _FinalResponse(http.client.HTTPResponse):
    """Skips every interim answer (1xx), not only ``100 Continue``, and what nobody here asked a server for."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._interim = 0
        self.fp = _Bounded(self.fp.detach())

    def _read_status(self) -> Any:
        while True:
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if not 100 <= status < 200:
                return version, status, reason
            self._interim += 1
            if self._interim > _MOST_INTERIM:
                raise http.client.HTTPException(f"more than {_MOST_INTERIM} interim answers")
            http.client.parse_headers(self.fp)

    def begin(self) -> None:
        super().begin()
        # A cookie would be sent back, to whoever shares the session.
        for name in ("Set-Cookie", "Set-Cookie2"):
            del self.msg[name]
        # urllib3 would log what it can't read, word for word: a server may have put the key there.
        self.msg.defects.clear()
        self.msg.set_payload("")


class _Noting:
    """Notes when a connection is being made, when a byte is written, and which socket it is."""

    sock: Any
    response_class: Any = _FinalResponse
    #: Python's own switch (``http.client.HTTPConnection.debuglevel``) prints every header, and so the key.
    debuglevel = 0

    def _new_conn(self) -> Any:
        # Known before a proxy and TLS are through, since a proxy's own answer may drip, too.
        _here.progress.connection = super()._new_conn()  # type: ignore[misc]
        return _here.progress.connection

    def connect(self) -> None:
        progress = _here.progress
        progress.connecting = True
        super().connect()  # type: ignore[misc]
        progress.connecting = False
        self._take_over(progress)

    def putrequest(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is not None:
            self._take_over(_here.progress)
        super().putrequest(*args, **kwargs)  # type: ignore[misc]

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        if not _here.progress.connecting:
            _here.progress.sent = True
        try:
            super().send(data)  # type: ignore[misc]
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
            # The server answers before it has read everything, and closes: urllib3 reads that answer after this one.
            raise BrokenPipeError(str(error)) from error

    def _take_over(self, progress: Progress) -> None:
        """Use the request's own timeout: urllib3 would send the body under the one for connecting."""
        progress.connection = self.sock
        self.sock.settimeout(progress.timeout)


class _Connection(_Noting, HTTPConnection):
    pass


class _TLSConnection(_Noting, HTTPSConnection):
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
    """A session that follows no redirect (requests would read and parse it all the same) and retries nothing."""

    def __init__(self) -> None:
        super().__init__()
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Adapter(max_retries=urllib3.Retry(0, read=False)))

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Say that there is none."""
