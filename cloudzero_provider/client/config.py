"""Settings of a client, checked before the first request."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from typing import NoReturn
from urllib.parse import urlsplit

from cloudzero_provider.exceptions import ConfigurationError
from cloudzero_provider.values.limits import MAX_RETRY_SECONDS, SETTLE_SECONDS, TIMEOUT
from cloudzero_provider.values.parameters import read_bool, read_number

LONGEST_SECONDS = 7 * 24 * 3600
DEFAULT_BASE_URL = "https://api.cloudzero.com"

_PRINTABLE_ASCII = re.compile(r"[\x21-\x7e]+")
_HOST = re.compile(r"[A-Za-z0-9._:-]+")
_BEARER = re.compile(r"bearer(\s+|$)", re.IGNORECASE)


class Secret(str):
    """The API key. Its repr is ``***``, so that debuggers and error trackers don't show it; it can't be pickled."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"

    def __deepcopy__(self, memo: dict[int, object]) -> Secret:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("The API key can't be pickled: look the connection up again instead.")


@dataclass(frozen=True)
class ClientConfig:
    """
    Settings of a client.

    :param api_key: CloudZero's API key. White space around it and an accidental ``Bearer`` before it are removed
        (https://docs.cloudzero.com/reference/authorization).
    :param base_url: scheme, host and port, without a path.
    :param timeout: seconds to wait for a reply; at most 10 of them for connecting.
    :param max_retry_seconds: how long one request is retried, in total.
    :param settle_seconds: seconds after its start when an unanswered request is assumed never to be applied.
    :param allow_http: allow ``http://`` to another machine (a sandbox in another container). The key is then
        sent unencrypted.
    :raises ConfigurationError: when one of them is not valid. The message never shows the key.
    """

    api_key: str = field(repr=False)
    base_url: str = DEFAULT_BASE_URL
    timeout: float = TIMEOUT
    max_retry_seconds: float = MAX_RETRY_SECONDS
    settle_seconds: float = SETTLE_SECONDS
    allow_http: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "api_key", Secret(checked_key(self.api_key)))
        allow_http = read_bool("allow_http", self.allow_http)
        object.__setattr__(self, "base_url", checked_base_url(self.base_url, allow_http=allow_http))
        for name in ("timeout", "max_retry_seconds", "settle_seconds"):
            object.__setattr__(self, name, read_seconds(name, getattr(self, name)))
        if not self.timeout:
            raise ConfigurationError("timeout is 0: it must be more than 0 seconds.")

    @property
    def uses_plain_http(self) -> bool:
        """Whether the key is sent unencrypted to another machine."""
        url = urlsplit(self.base_url)
        return url.scheme == "http" and not _is_this_machine(url.hostname or "")


def read_seconds(name: str, value: object, *, as_text: bool = False) -> float:
    """
    Read a setting in seconds.

    :param name: the setting's name, for the error.
    :param value: the given value.
    :param as_text: whether it may be a string, as in a connection's extra.
    :raises ConfigurationError: when it is not a number of seconds, up to a week.
    """
    meaning = f"0 to {LONGEST_SECONDS:,} seconds (a week)"
    return read_number(name, value, least=0, most=LONGEST_SECONDS, meaning=meaning, as_text=as_text)


def checked_key(key: str | None) -> str:
    """
    Remove white space and ``Bearer`` around a key, and check it.

    requests shows a header value that it refuses, so an invalid key must not get that far.

    :raises ConfigurationError: when it is missing or not printable ASCII. The message never shows it.
    """
    bare = _BEARER.sub("", (key or "").strip(), count=1).strip()
    if not bare:
        raise ConfigurationError("The API key is missing: enter it in the connection's password field.")
    if not _PRINTABLE_ASCII.fullmatch(bare):
        raise ConfigurationError(
            "The API key contains white space or characters that are not printable ASCII: copy it again "
            "(https://app.cloudzero.com/organization/api-keys). It is not shown here."
        )
    return bare


def checked_base_url(base_url: str, *, allow_http: bool) -> str:
    """
    Check a base URL and normalize it to ``scheme://host[:port]``.

    :raises ConfigurationError: when it has another form, or is ``http://`` to another machine without ``allow_http``.
    """
    try:
        url = urlsplit(base_url.strip())
        port = url.port
    except ValueError:
        raise ConfigurationError("The base URL can't be read: expected https://host or https://host:port.") from None
    if "@" in url.netloc:
        raise ConfigurationError(
            "The base URL contains a user or password: enter the key in the connection's password field."
        )
    # The value is not shown: it may be the key in the wrong field.
    host = url.hostname or ""
    if url.scheme not in ("http", "https") or not _HOST.fullmatch(host):
        raise ConfigurationError("The base URL (the connection's host) is not of the form https://host[:port].")
    if url.path.strip("/") or url.query or url.fragment:
        raise ConfigurationError(
            "The base URL (the connection's host) must have nothing after host and port: expected https://host or "
            "https://host:port."
        )
    if url.scheme == "http" and not allow_http and not _is_this_machine(host):
        raise ConfigurationError(
            "The base URL (the connection's host) would send the API key unencrypted to another machine. Use https, "
            "or set allow_http in the connection's extra for a sandbox that runs in another container."
        )
    address = f"[{host}]" if ":" in host else host
    return f"{url.scheme}://{address}:{port}" if port else f"{url.scheme}://{address}"


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
