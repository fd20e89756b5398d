"""One request, one answer."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

import requests
import urllib3
from requests.auth import AuthBase

from cloudzero_provider import __version__
from cloudzero_provider.client.wire import Session, watched
from cloudzero_provider.exceptions import ConfigurationError

if TYPE_CHECKING:
    from cloudzero_provider.client.config import ClientConfig

CONNECT_TIMEOUT = 10.0
#: No documented answer is longer, but for the contents of a month, which go to a file.
MAX_REPLY_BYTES = 16 * 1024 * 1024
#: A month has 70 MB; ten times that is no answer any more.
MAX_FILE_BYTES = 700 * 1024 * 1024
MAX_ERROR_BYTES = 64 * 1024
_CHUNK = 256 * 1024

_UNUSABLE = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidHeader,
    urllib3.exceptions.LocationValueError,
    urllib3.exceptions.ProxySchemeUnknown,
)


class _Secret(str):
    """The key, for a header: tracebacks that show local variables show this."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


class _BareKey(AuthBase):
    """Puts the key into the request. A header of the session would lose against an entry in ``.netrc``."""

    def __init__(self, key: str) -> None:
        self._key = _Secret(key)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._key
        return request

    def __repr__(self) -> str:
        return "_BareKey(***)"


@dataclass(frozen=True)
class Reply:
    """An answer of CloudZero: its status, headers and body, and when the request began (``time.monotonic``)."""

    status: int
    headers: requests.structures.CaseInsensitiveDict[str] = field(repr=False)
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
        self._session = Session()
        self._session.headers["User-Agent"] = f"airflow-provider-cloudzero/{__version__}"
        if config.base_url.startswith("http://"):
            # A proxy of the environment would get to see the key, which is to stay on this machine.
            self._session.trust_env = False

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    def exchange(
        self,
        method: str,
        path: str,
        *,
        limit: float,
        body: bytes | None = None,
        save_to: BinaryIO | None = None,
        needs_body: bool = True,
        fresh: bool = False,
    ) -> Reply | NoReply:
        """
        Send one request, once.

        :param method: HTTP method.
        :param path: path and query.
        :param limit: seconds after which it is cut off.
        :param body: JSON, encoded.
        :param save_to: where the body of a successful answer goes; without it, into the reply.
        :param needs_body: whether an answer of success is none without the whole of its body.
        :param fresh: use a connection of its own, so that one which went stale can't be mistaken for a lost answer.
        :raises ConfigurationError: when such a request can't be sent from here at all.
        """
        if fresh:
            self._session.close()
        began = time.monotonic()
        with watched(timeout=self._config.timeout, limit=limit) as progress:
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
                    content, broken = _read(response, save_to if response.ok else None)
                    if broken and response.ok and needs_body:
                        return NoReply(sent=True, reason=broken, began=began)
                    return Reply(response.status_code, response.headers, content, began)
            except _UNUSABLE as error:
                unusable = _in_words(error)
            except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
                return NoReply(sent=progress.sent, reason=_in_words(error), began=began)
            except OSError as error:
                if progress.sent:
                    return NoReply(sent=True, reason=_in_words(error), began=began)
                unusable = _in_words(error)
        raise ConfigurationError(f"No request can be sent to {self._config.base_url}: {unusable}")


def _read(response: requests.Response, save_to: BinaryIO | None) -> tuple[bytes, str | None]:
    """Read a body, as far as it comes and as long as an answer may be; say what broke it off."""
    if save_to is not None:
        save_to.seek(0)
        save_to.truncate()
    longest = MAX_FILE_BYTES if save_to is not None else MAX_REPLY_BYTES if response.ok else MAX_ERROR_BYTES
    parts: list[bytes] = []
    size = 0
    chunks = response.iter_content(_CHUNK)
    while True:
        try:
            chunk = next(chunks, None)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            return b"".join(parts), _in_words(error)
        if chunk is None:
            return b"".join(parts), None
        size += len(chunk)
        if size > longest:
            return b"".join(parts), f"the answer is longer than {longest:,} bytes"
        if save_to is not None:
            save_to.write(chunk)
        else:
            parts.append(chunk)


def _in_words(error: Exception) -> str:
    """Name the innermost cause: requests wraps it three times, with addresses of objects in between."""
    cause: BaseException = error
    while isinstance(inner := (cause.__cause__ or cause.__context__), Exception):
        cause = inner
    text = str(cause) or str(error)
    return f"{type(cause).__name__}: {text}" if text else type(cause).__name__
