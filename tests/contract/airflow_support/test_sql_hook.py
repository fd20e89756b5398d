"""A connection for ``sql_conn_id`` that can't run SQL: the error says what to install."""

from __future__ import annotations

import json

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowNotFoundException
from support.tasks import send

from cloudzero_provider.airflow_support import sql_hook
from cloudzero_provider.exceptions import ConfigurationError


@pytest.fixture
def refused(sandbox, monkeypatch):
    def refused(conn_type: str | None) -> str:
        monkeypatch.setenv(
            "AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": conn_type, "host": "x", "password": "secret-1"})
        )
        with pytest.raises(ConfigurationError) as error:
            send(sql="SELECT 1", sql_conn_id="warehouse")
        assert isinstance(error.value, AirflowFailException)
        assert sandbox.requests() == []
        assert "secret-1" not in str(error.value)
        return str(error.value)

    return refused


@pytest.mark.parametrize(
    ("conn_type", "package"),
    [
        ("snowflake", "apache-airflow-providers-snowflake"),
        ("gcpbigquery", "apache-airflow-providers-google"),
        ("hiveserver2", "apache-airflow-providers-apache-hive"),
    ],
)
def test_of_a_type_whose_provider_is_not_installed(refused, conn_type, package):
    assert refused(conn_type) == (
        f"No installed provider has connections of type {conn_type!r}, so sql_conn_id='warehouse' can't be used: install "
        f"{package} where tasks run. Nothing was sent."
    )


def test_of_a_type_that_this_package_does_not_know(refused):
    text = refused("acme_warehouse")
    assert text.startswith("No installed provider has connections of type 'acme_warehouse', so ")
    assert "install the provider that has this type (https://airflow.apache.org/" in text


def test_without_a_type(refused):
    assert refused("") == "sql_conn_id is 'warehouse', a connection without a type: set it. Nothing was sent."


def test_of_a_type_that_runs_no_sql(refused):
    assert "does not run SQL: name the connection of a database" in refused("cloudzero")


def test_of_a_provider_that_can_t_be_imported(refused, monkeypatch):
    def broken(conn_id):
        raise ImportError("No module named 'snowflake.connector'")

    monkeypatch.setattr(sql_hook.BaseHook, "get_hook", broken)
    text = refused("snowflake")
    assert "is installed, but can't be imported (No module named 'snowflake.connector')" in text


def test_that_does_not_exist(sandbox):
    # Airflow's own error names it.
    with pytest.raises(AirflowNotFoundException, match="absent"):
        send(sql="SELECT 1", sql_conn_id="absent")
