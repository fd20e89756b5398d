"""The hook of a connection that runs SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import AirflowException, BaseHook

from cloudzero_provider.exceptions import ConfigurationError

if TYPE_CHECKING:
    from airflow.providers.common.sql.hooks.sql import DbApiHook

#: Connection types that run SQL → the end of their provider's name, where that is not the type itself.
_PROVIDERS = {
    "athena": "amazon",
    "drill": "apache-drill",
    "druid": "apache-druid",
    "gcpbigquery": "google",
    "hiveserver2": "apache-hive",
    "impala": "apache-impala",
    "mssql": "microsoft-mssql",
    "pinot": "apache-pinot",
    "redshift": "amazon",
}
#: Those whose provider has their name.
_SAME_NAME = frozenset(
    {
        "databricks",
        "elasticsearch",
        "exasol",
        "jdbc",
        "mysql",
        "odbc",
        "oracle",
        "postgres",
        "presto",
        "snowflake",
        "sqlite",
        "teradata",
        "trino",
        "vertica",
        "ydb",
    }
)
_ALL_PROVIDERS = "https://airflow.apache.org/docs/#providers-packages"
#: Of Airflow's error, which is an AirflowException like many others.
_UNKNOWN_TYPE = "Unknown hook type"


def sql_hook(conn_id: str) -> DbApiHook:
    """
    Return the hook of a connection that runs SQL.

    :param conn_id: the Airflow connection.
    :raises ConfigurationError: when its provider is not installed, or when it does not run SQL.
    """
    from airflow.providers.common.sql.hooks.sql import DbApiHook

    try:
        hook = BaseHook.get_hook(conn_id)
    except AirflowException as error:
        if _UNKNOWN_TYPE not in str(error):
            raise
        raise _unknown_type(conn_id) from None
    except ImportError as error:
        raise ConfigurationError(
            f"sql_conn_id is {conn_id!r}: the provider of its connection type is installed, but can't be imported "
            f"({error}). Nothing was sent."
        ) from error
    if not isinstance(hook, DbApiHook):
        raise ConfigurationError(
            f"sql_conn_id is {conn_id!r}, whose hook, {type(hook).__name__}, does not run SQL: name the connection of "
            "a database. Nothing was sent."
        )
    return hook


def _unknown_type(conn_id: str) -> ConfigurationError:
    conn_type = BaseHook.get_connection(conn_id).conn_type or ""
    if not conn_type:
        return ConfigurationError(f"sql_conn_id is {conn_id!r}, a connection without a type: set it. Nothing was sent.")
    name = conn_type if conn_type in _SAME_NAME else _PROVIDERS.get(conn_type)
    package = f"apache-airflow-providers-{name}" if name else f"the provider that has this type ({_ALL_PROVIDERS})"
    return ConfigurationError(
        f"No installed provider has connections of type {conn_type!r}, so sql_conn_id={conn_id!r} can't be used: "
        f"install {package} where tasks run. Nothing was sent."
    )
