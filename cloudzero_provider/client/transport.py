"""Send one request, once."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, BinaryIO

import requests
import urllib3
from requests.auth import AuthBase

from cloudzero_provider import __version__
from cloudzero_provider.client.reply_body import ACCEPTED_ENCODING, innermost_cause, read_body
from cloudzero_provider.client.request_progress import Session, tracked
from cloudzero_provider.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudzero_provider.client.config import ClientConfig

CONNECT_TIMEOUT = 10.0
#: No documented reply is longer, except the contents of a month, which go to a file.
MAX_REPLY_BYTES = 16 * 1024 * 1024
#: Ten times CloudZero's limit for a month.
MAX_FILE_BYTES = 700 * 1024 * 1024
MAX_ERROR_BYTES = 64 * 1024

_INVALID_REQUEST = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidHeader,
    urllib3.exceptions.LocationValueError,
    urllib3.exceptions.ProxySchemeUnknown,
)


class _BareKey(AuthBase):
    """Adds the key to a request. An entry in ``.netrc`` would replace a header of the session."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._key
        return request

    def __repr__(self) -> str:
        return "_BareKey(***)"


@dataclass(frozen=True)
class Reply:
    """A reply: its status, headers and body, and when the request began (``time.monotonic``)."""

    status: int
    headers: requests.structures.CaseInsensitiveDict[str] = field(repr=False)
    body: bytes = field(repr=False)
    began: float

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300


@dataclass(frozen=True)
class NoReply:
    """A missing reply: whether the request was sent, the reason, and when it began (``time.monotonic``)."""

    sent: bool
    reason: str
    began: float


class Transport:
    """
    Sends single requests. Threads may share one; a forked process opens its own connections.

    :param config: base URL, key and timeouts.
    """

    def __init__(self, config: ClientConfig) -> None:
        self._config = config
        self._auth = _BareKey(config.api_key)
        self._shared = self._new_session()
        self._process = os.getpid()

    def close(self) -> None:
        """Close all idle connections. A later request opens a new one."""
        self._shared.close()

    def exchange(
        self,
        method: str,
        path: str,
        *,
        limit: float,
        body: bytes | None = None,
        save_to: BinaryIO | None = None,
        needs_body: bool = True,
        skip_body: bool = False,
        fresh: bool = False,
    ) -> Reply | NoReply:
        """
        Send one request, once.

        :param method: HTTP method.
        :param path: path and query.
        :param limit: seconds after which the request is cut off.
        :param body: encoded JSON.
        :param save_to: the file for the body of a successful reply; without it, the reply holds it.
        :param needs_body: whether a successful reply with an incomplete body counts as no reply.
        :param skip_body: leave the body of a successful reply unread, and close the connection.
        :param fresh: use a new connection, so that a stale one can't be mistaken for a lost reply.
        :raises ConfigurationError: when the request can't be sent because of a setting.
        """
        began = time.monotonic()
        with self._session(fresh=fresh) as session, tracked(timeout=self._config.timeout, limit=limit) as progress:
            try:
                with self._response(session, method, path, body) as response:
                    return _read_reply(response, save_to, began, needs_body=needs_body, skip_body=skip_body)
            except _INVALID_REQUEST as error:
                reason, is_valid = innermost_cause(error), False
            except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
                reason, is_valid = innermost_cause(error), True
            except Exception as error:  # A broken reply can make the libraries raise anything.
                reason, is_valid = innermost_cause(error), False
            except BaseException as interruption:
                # A timeout or kill of the task. The frames below hold the headers of the request, and so the key.
                raise interruption.with_traceback(None)  # noqa: B904 - the same exception
        if progress.sent or is_valid:
            return NoReply(sent=progress.sent, reason=reason, began=began)
        raise ConfigurationError(f"No request can be sent to {self._config.base_url}: {reason}")

    def _response(self, session: Session, method: str, path: str, body: bytes | None) -> requests.Response:
        return session.request(
            method,
            self._config.base_url + path,
            data=body,
            headers={"Content-Type": "application/json"} if body is not None else None,
            auth=self._auth,
            timeout=(min(CONNECT_TIMEOUT, self._config.timeout), self._config.timeout),
            allow_redirects=False,
            stream=True,
        )

    @contextlib.contextmanager
    def _session(self, *, fresh: bool) -> Iterator[Session]:
        if fresh:
            with self._new_session() as session:
                yield session
            return
        if self._process != os.getpid():
            # The connections belong to the parent process, too: requests and replies of both would get mixed up.
            self._shared, self._process = self._new_session(), os.getpid()
        yield self._shared

    def _new_session(self) -> Session:
        session = Session()
        session.headers["User-Agent"] = f"airflow-provider-cloudzero/{__version__}"
        session.headers["Accept-Encoding"] = ACCEPTED_ENCODING
        if self._config.base_url.startswith("http://"):
            # A proxy from the environment would see the key, which must stay on this machine.
            session.trust_env = False
        return session


def _read_reply(
    response: requests.Response, save_to: BinaryIO | None, began: float, *, needs_body: bool, skip_body: bool
) -> Reply | NoReply:
    reply = Reply(response.status_code, response.headers, b"", began)
    if reply.ok and skip_body:
        return reply
    if not reply.ok:
        body, broken = read_body(response, MAX_ERROR_BYTES)
    elif save_to is None:
        body, broken = read_body(response, MAX_REPLY_BYTES)
    else:
        body, broken = read_body(response, MAX_FILE_BYTES, save_to)
    if broken and reply.ok and needs_body:
        return NoReply(sent=True, reason=broken, began=began)
    return replace(reply, body=body)
