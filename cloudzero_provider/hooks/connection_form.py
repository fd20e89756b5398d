"""The fields of an Airflow connection of type ``cloudzero``, checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cloudzero_provider.exceptions import ConfigurationError
from cloudzero_provider.get_provider_info import EXTRA_FIELDS
from cloudzero_provider.values.parameters import read_bool

if TYPE_CHECKING:
    from airflow.sdk import Connection

#: Raised for a connection that can't be read, by Airflow or here.
UNREADABLE = (ConfigurationError, ValueError, TypeError, AttributeError)
_NUMBERS = ("timeout", "max_retry_seconds", "settle_seconds")


def why_unreadable(error: Exception) -> str:
    """Return what is wrong with a connection, without Airflow's message, which may show the key."""
    if isinstance(error, ConfigurationError):
        return error.message
    return "it can't be read. In a URI, percent-encode / : @ ? # and %; JSON must be well-formed."


@dataclass(frozen=True)
class ConnectionFields:
    """The fields of a connection."""

    password: str | None = field(repr=False)
    host: str | None
    port: int | None
    schema: str | None
    extra: dict[str, Any]

    @classmethod
    def of(cls, connection: Connection) -> ConnectionFields:
        """
        Read a connection.

        :raises ConfigurationError: when its extra is not valid, or the key is in another field.
        """
        from cloudzero_provider.client.config import Secret

        extra = connection.extra_dejson
        is_unreadable = connection.extra and not extra and str(connection.extra).strip() not in ("{}", "null")
        if is_unreadable or not isinstance(extra, dict):
            raise ConfigurationError("the extra is not a JSON object.")
        password = None if connection.password is None else Secret(connection.password)
        given = {name: value for name, value in extra.items() if value not in (None, "")}
        host = (connection.host or "").strip().removeprefix("https://")
        if password and password.strip() in {host, connection.schema, *given, *map(str, given.values())}:
            raise ConfigurationError("the API key is in another field, too: enter it in the password field only.")
        _check_extra(given)
        return cls(password, connection.host, connection.port, connection.schema, given)

    def options(self) -> dict[str, Any]:
        """
        Return the options of a client, without the key.

        :raises ConfigurationError: when one of them is not valid.
        """
        from cloudzero_provider.client.config import read_seconds

        given = {name: self.extra[name] for name in _NUMBERS if name in self.extra}
        # Airflow's forms store numbers and switches as strings.
        options: dict[str, Any] = {name: read_seconds(name, value, as_text=True) for name, value in given.items()}
        if base_url := self._base_url():
            options["base_url"] = base_url
        return options | {"allow_http": read_bool("allow_http", self.extra.get("allow_http", False), as_text=True)}

    def _base_url(self) -> str | None:
        from cloudzero_provider.client.config import DEFAULT_BASE_URL

        host, port = (self.host or "").strip(), self.port
        if not port and not host:
            return None
        host = host or DEFAULT_BASE_URL
        if "://" not in host:
            host = f"{self.schema or 'https'}://{host}"
        named = _port_of(host)
        if port and named and named != port:
            raise ConfigurationError(f"the host has port {named}, but the port field has {port}.")
        return f"{host.rstrip('/')}:{port}" if port and not named else host


def _check_extra(extra: dict[str, Any]) -> None:
    if unknown := sorted(set(extra) - set(EXTRA_FIELDS)):
        raise ConfigurationError(
            f"the extra has unknown fields: {', '.join(map(repr, unknown))}. Expected: {', '.join(EXTRA_FIELDS)}."
        )


def _port_of(url: str) -> int | None:
    try:
        return urlsplit(url).port
    except ValueError:  # The client refuses it, with a better error.
        return None
