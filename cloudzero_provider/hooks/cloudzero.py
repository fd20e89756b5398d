"""The hook: makes a :class:`~cloudzero_provider.client.Client` from an Airflow connection of type ``cloudzero``."""

from __future__ import annotations

import asyncio
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseHook

from cloudzero_provider.exceptions import CloudZeroError, ConfigurationError
from cloudzero_provider.get_provider_info import EXTRA_FIELDS, HIDDEN_FIELDS, PLACEHOLDERS, RELABELING
from cloudzero_provider.hooks.connection_form import UNREADABLE, ConnectionFields, why_unreadable

if TYPE_CHECKING:
    from cloudzero_provider.client import Client


class CloudZeroHook(BaseHook):
    """
    Connect to CloudZero.

    The connection's password is the API key. Host, port and schema are the base URL. Default: CloudZero's.
    Extra: ``anycost_connection_id``, ``timeout`` (60 s), ``max_retry_seconds`` (600), ``settle_seconds`` (60),
    ``allow_http``.

    .. seealso:: https://docs.cloudzero.com/reference/authorization

    :param cloudzero_conn_id: the Airflow connection.
    """

    conn_name_attr = "cloudzero_conn_id"
    default_conn_name = "cloudzero_default"
    conn_type = "cloudzero"
    hook_name = "CloudZero"

    def __init__(self, cloudzero_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.cloudzero_conn_id = cloudzero_conn_id

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Describe the connection form to Airflow 2.11 to 3.1; later ones read ``get_provider_info``."""
        return {
            "hidden_fields": list(HIDDEN_FIELDS),
            "relabeling": dict(RELABELING),
            "placeholders": dict(PLACEHOLDERS),
        }

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Describe the fields of the extra to Airflow 2.11 to 3.1; later ones read ``get_provider_info``."""
        from flask_appbuilder.fieldwidgets import BS3TextFieldWidget
        from wtforms import BooleanField, StringField
        from wtforms.validators import Optional

        # Airflow drops a connection type with fields other than strings, integers and switches, so numbers are strings.
        fields = {"string": StringField, "number": StringField, "boolean": BooleanField}
        return {
            name: fields[field["kind"]](
                field["label"],
                description=field["description"],
                validators=[Optional()],
                **({} if field["kind"] == "boolean" else {"widget": BS3TextFieldWidget()}),
            )
            for name, field in EXTRA_FIELDS.items()
        }

    @cached_property
    def _fields(self) -> ConnectionFields:
        """The fields of the connection, looked up once. Airflow's object is not kept, since its repr shows the key."""
        try:
            return ConnectionFields.of(self.get_connection(self.cloudzero_conn_id))
        except UNREADABLE as error:
            problem = why_unreadable(error)
        # Raised outside of except: Airflow's error may hold the connection, and parts of the key.
        raise ConfigurationError(f"Connection {self.cloudzero_conn_id!r}: {problem}")

    async def look_up_connection(self) -> None:
        """Look the connection up without blocking the event loop of the triggerer."""
        from airflow.providers.common.compat.connection import get_async_connection

        try:
            # In a thread: reading the extra makes Airflow register its secrets, which blocks.
            fields = await asyncio.to_thread(ConnectionFields.of, await get_async_connection(self.cloudzero_conn_id))
        except UNREADABLE as error:
            problem = why_unreadable(error)
        else:
            vars(self)["_fields"] = fields
            return
        raise ConfigurationError(f"Connection {self.cloudzero_conn_id!r}: {problem}")

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the connection, since it holds the key: a pickled hook looks it up again."""
        return {name: value for name, value in vars(self).items() if name not in ("_fields", "client")}

    def get_conn(self) -> Client:
        """Return the client of this hook, created once."""
        return self.client

    @cached_property
    def client(self) -> Client:
        """The client of this connection."""
        client = self.make_client()
        if client.config.uses_plain_http:
            self.log.warning(
                "The API key is sent UNENCRYPTED to %s (allow_http is set). Use this for a sandbox only.",
                client.config.base_url,
            )
        return client

    def make_client(self, **overrides: float) -> Client:
        """
        Create a separate client.

        :param overrides: options that replace those of the connection, like ``max_retry_seconds``.
        :raises ConfigurationError: when a field of the connection is not valid.
        """
        from cloudzero_provider.client import Client

        fields = self._fields
        try:
            return Client(fields.password or "", **(fields.options() | overrides))
        except ConfigurationError as error:
            problem = error.message
        # Raised outside of except: error trackers record frames, and those of the client hold the key.
        raise ConfigurationError(f"Connection {self.cloudzero_conn_id!r}: {problem}")

    @property
    def base_url(self) -> str:
        """
        The URL of the connection's host; CloudZero's, when it names none.

        :raises ConfigurationError: when the connection can't be used.
        """
        from cloudzero_provider.client.config import DEFAULT_BASE_URL, checked_base_url

        options = self._fields.options()
        return checked_base_url(options.get("base_url", DEFAULT_BASE_URL), allow_http=options["allow_http"])

    def anycost_connection_id(self, anycost_connection_id: str | None = None) -> str:
        """
        Return the AnyCost stream to use.

        :param anycost_connection_id: the stream; default: that of the connection's extra.
        :raises ConfigurationError: without either, or when it is not valid.
        """
        from cloudzero_provider.client.anycost import checked_connection_id

        if anycost_connection_id:
            return checked_connection_id(str(anycost_connection_id))
        default = self.default_anycost_connection_id
        if default is None:
            raise ConfigurationError(
                "No AnyCost stream: set anycost_connection_id on the operator, or in the extra of "
                f"connection {self.cloudzero_conn_id!r}."
            )
        return default

    @property
    def default_anycost_connection_id(self) -> str | None:
        """
        The AnyCost stream of the connection's extra; ``None`` when it names none.

        :raises ConfigurationError: when it is not valid.
        """
        from cloudzero_provider.client.anycost import checked_connection_id

        found = self._fields.extra.get("anycost_connection_id")
        return checked_connection_id(str(found)) if found else None

    def test_connection(self) -> tuple[bool, str]:
        """
        Check without writing whether CloudZero is reachable and accepts the key, and which scopes are missing.

        :return: whether the connection works; and the verdict (it works, it is refused, or the test can't tell), with
            what was not checked.
        """
        from cloudzero_provider.hooks.connection_test import verdict_of

        try:
            client = self.make_client(max_retry_seconds=0)
            return verdict_of(client, self.default_anycost_connection_id)
        except CloudZeroError as error:
            return False, str(error)
        except Exception as error:  # Airflow shows what this returns, but not what it raises.
            return False, f"{type(error).__name__} while testing the connection."
