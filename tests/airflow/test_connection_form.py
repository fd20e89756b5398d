"""The connection form, as Airflow's own web server builds, shows and reads it."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import Connection
from support import airflow_lines as lines
from support.airflow_lines import ended

from cloudzero_provider.client import Client
from cloudzero_provider.get_provider_info import EXTRA_FIELDS
from cloudzero_provider.hooks.cloudzero import CloudZeroHook

FIELDS = {"anycost_connection_id", "timeout", "max_retry_seconds", "settle_seconds", "allow_http"}


@pytest.fixture(scope="module")
def form():
    return lines.connection_form("cloudzero")


def test_airflow_knows_the_connection_type():
    assert isinstance(Connection(conn_id="cloudzero_default", conn_type="cloudzero").get_hook(), CloudZeroHook)


def test_the_form_has_a_field_for_every_extra(form):
    assert set(form["extra"]) == FIELDS == set(EXTRA_FIELDS)
    assert {name: field["label"] for name, field in form["extra"].items()} == {
        name: field["label"] for name, field in EXTRA_FIELDS.items()
    }
    assert all(field["description"] for field in form["extra"].values())
    types = {name: field["type"] for name, field in form["extra"].items()}
    number = "number" if lines.LINE >= (3, 2) else "string"
    assert types == {
        "anycost_connection_id": "string",
        "timeout": number,
        "max_retry_seconds": number,
        "settle_seconds": number,
        "allow_http": "boolean",
    }


def test_the_form_labels_the_key_and_hides_unused_fields(form):
    assert form["hidden"] == {"login", "schema"}
    assert form["labels"] == {"password": "API key", "host": "API base URL"}
    assert form["placeholders"]["host"] == "https://api.cloudzero.com"


@ended((3, 0), "the form of Flask")
class TestFlaskForm:
    @pytest.fixture(scope="class")
    def web(self, dags):
        from airflow.www.app import create_app

        app = create_app(testing=True)
        app.config |= {"WTF_CSRF_ENABLED": False, "AUTH_ROLE_PUBLIC": "Admin"}
        return app.test_client()

    def saved(self, web, name, **fields) -> Client:
        """Fill in the form, save it, and use the saved connection."""
        form = {"conn_id": name, "conn_type": "cloudzero", "password": "the-key-of-the-form", **fields}
        page = web.post("/connection/add", data=form, follow_redirects=True).get_data(as_text=True)
        assert "Added Row" in page, page
        return CloudZeroHook(name).client

    def test_the_page_shows_the_fields(self, web):
        page = web.get("/connection/add").get_data(as_text=True)
        for name in FIELDS:
            assert f'name="extra__cloudzero__{name}"' in page

    def test_numbers_and_the_switch(self, web):
        client = self.saved(
            web,
            "form_full",
            host="http://sandbox.example:8900",
            extra__cloudzero__anycost_connection_id="1234-stream",
            extra__cloudzero__timeout="7",
            extra__cloudzero__max_retry_seconds="8",
            extra__cloudzero__settle_seconds="0.5",
            extra__cloudzero__allow_http="y",
        )
        config = client.config
        assert (config.timeout, config.max_retry_seconds, config.settle_seconds) == (7, 8, 0.5)
        assert (config.base_url, config.uses_plain_http) == ("http://sandbox.example:8900", True)
        assert CloudZeroHook("form_full").anycost_connection_id() == "1234-stream"

    def test_nothing_but_the_key(self, web):
        config = self.saved(web, "form_empty", extra__cloudzero__timeout="").config
        assert (config.base_url, config.timeout, config.settle_seconds) == ("https://api.cloudzero.com", 60, 60)
        assert CloudZeroHook("form_empty").get_connection("form_empty").password == "the-key-of-the-form"
