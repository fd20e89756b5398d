"""The connection form in a real browser, and a DAG run with a connection that was saved there."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from demo_airflow import BIN
from e2e.dags.saved_connection import BILL, CONNECTION
from playwright.sync_api import expect
from support.airflow_files import assert_key_in_no_file
from support.connection_form import Pages, distinct_lines, labels, replies_in
from support.sandbox_server import KEY, STREAM

from cloudzero_provider.get_provider_info import EXTRA_FIELDS
from cloudzero_provider.hooks.cloudzero import CloudZeroHook

ROOT = Path(__file__).parents[2]
#: The folder of the ``airflow`` command of each line. ``make test-long`` creates the environment of the older one.
AIRFLOW_LINES = {
    "3.3": BIN,
    "3.2": Path(os.environ.get("CLOUDZERO_AIRFLOW_3_2", ROOT / ".venv" / "airflow-3.2")).absolute() / "bin",
}
# So that a test can look for the key in everything that Airflow logs.
SETTINGS = {"AIRFLOW__CORE__TEST_CONNECTION": "Enabled", "AIRFLOW__LOGGING__LOGGING_LEVEL": "DEBUG"}
LABELS = {name: field["label"] for name, field in EXTRA_FIELDS.items()}
NOT_STATIC = re.compile(r"^(?!.*/static/)")
LINKS = {
    "bill": "CloudZero billing connections",
    "orders": "CloudZero telemetry streams",
}
CLOUDZERO = {
    "bill": "https://app.cloudzero.com/organization/connections",
    "orders": "https://app.cloudzero.com/settings/telemetry",
}


@pytest.fixture(scope="module", params=["3.3", pytest.param("3.2", marks=pytest.mark.long)])
def airflow(request, start_airflow):
    bin_folder = AIRFLOW_LINES[request.param]
    assert (bin_folder / "airflow").exists(), f"Airflow {request.param} is missing: 'make test-long' installs it"
    with start_airflow(["saved_connection", "refused_rows"], settings=SETTINGS, bin_folder=bin_folder) as airflow:
        yield airflow


@pytest.fixture
def pages(airflow, browser, tmp_path):
    """Airflow in a new browser context. Everything received is recorded to a HAR file on close."""
    window = {"width": 1280, "height": 1300}
    context = browser.new_context(
        viewport=window, record_har_path=tmp_path / "received.har", record_har_url_filter=NOT_STATIC
    )
    context.set_default_timeout(30_000)
    page = context.new_page()
    pages = Pages(page, airflow.url)
    pages.open("")
    yield pages
    context.close()


def standard_fields(sandbox, key=KEY):
    url = urlsplit(sandbox.url)
    return {"API base URL": f"{url.scheme}://{url.hostname}", "API key": key, "Port": url.port}


def extra_fields(**values):
    return {LABELS[name]: value for name, value in values.items()}


def stored(airflow, connection_id):
    """Return a connection as Airflow's REST API shows it."""
    reply = airflow._session.get(f"{airflow.url}/api/v2/connections/{connection_id}", timeout=30)
    reply.raise_for_status()
    return reply.json()


def inside(box, outer):
    return (
        box["x"] >= outer["x"]
        and box["y"] >= outer["y"]
        and box["x"] + box["width"] <= outer["x"] + outer["width"]
        and box["y"] + box["height"] <= outer["y"] + outer["height"]
    )


def check_layout(form, section):
    """Each row is visible, below the previous one, with its label drawn to the left of an input that can be clicked."""
    page = form.dialog.page
    window = {"x": 0, "y": 0, **page.viewport_size}
    dialog, bottom = form.dialog.bounding_box(), 0
    for text, row in form.rows(section).items():
        control = row.locator("[data-part='control'], input:not([type=checkbox]), textarea").first
        label = row.locator("label[data-part='label']").first
        assert control.is_visible(), text
        place, name, box = row.bounding_box(), label.bounding_box(), control.bounding_box()
        assert place["y"] >= bottom, text
        bottom = place["y"] + place["height"]
        for part in (place, name, box):
            assert min(part["width"], part["height"]) > 10, text
            assert inside(part, dialog), text
            assert inside(part, window), text
        assert name["x"] + name["width"] <= box["x"], text
        assert name["y"] < box["y"] + box["height"], text
        assert box["y"] < name["y"] + name["height"], text
        assert distinct_lines(label.screenshot()) > 5, text
        hit = "([x, y]) => { const e = document.elementFromPoint(x, y); return e && e.closest('[role=group]')?.innerText }"
        middle = [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]
        assert text in page.evaluate(hit, middle), text


def test_the_form_shows_our_fields(pages, sandbox, tmp_path):
    with pages.adding("looked_at") as form:
        standard = form.section("Standard Fields")
        assert {label.inner_text() for label in labels(standard)} == {"Description", "API base URL", "API key", "Port"}
        assert form.field("API base URL").get_attribute("placeholder") == "https://api.cloudzero.com"
        form.field("API key").fill(KEY)
        assert form.field("API key").get_attribute("type") == "password"
        assert form.dialog.locator("input[type=password]").count() == 1
        check_layout(form, standard)
        assert distinct_lines(form.dialog.screenshot(path=tmp_path / "standard.png")) > 100

        extra = form.section("Extra Fields")
        assert [label.inner_text() for label in labels(extra)] == list(LABELS.values())
        for field, row in zip(EXTRA_FIELDS.values(), form.rows(extra).values(), strict=True):
            assert field["description"] in row.inner_text()
        check_layout(form, extra)
        assert distinct_lines(form.dialog.screenshot(path=tmp_path / "extra.png")) > 100


@pytest.mark.parametrize(
    ("key", "title"), [(KEY, "Test Connection Successful"), ("wrong-key-of-somebody", "Test Connection Failed")]
)
def test_the_test_button_shows_the_message_of_the_hook(key, title, pages, sandbox, monkeypatch):
    connection_id = f"tested_{title.rsplit(' ', 1)[-1]}"
    with pages.adding(connection_id) as form:
        form.fill(standard_fields(sandbox, key), extra_fields(anycost_connection_id=STREAM))
    fields = {"conn_type": "cloudzero", "host": sandbox.url, "password": key}
    monkeypatch.setenv(
        "AIRFLOW_CONN_CLOUDZERO_DEFAULT", json.dumps({**fields, "extra": {"anycost_connection_id": STREAM}})
    )
    accepted, message = CloudZeroHook().test_connection()
    assert accepted == (key == KEY)
    assert pages.test(connection_id).splitlines() == [title, message]


def test_a_saved_connection_hides_its_key_and_works_in_a_run(airflow, pages, sandbox, tmp_path):
    connection_id = CONNECTION["cloudzero_conn_id"]
    with pages.adding(connection_id) as form:
        extra = {"timeout": 30, "max_retry_seconds": 60, "settle_seconds": 2.5, "allow_http": True}
        form.fill(standard_fields(sandbox), extra_fields(anycost_connection_id=STREAM, **extra))
    assert json.loads(stored(airflow, connection_id)["extra"]) == {"anycost_connection_id": STREAM, **extra}

    with pages.editing(connection_id) as form:
        form.section("Standard Fields")
        assert form.field("API key").input_value() == "***"
        assert KEY not in pages.page.content()
        assert KEY not in str(pages.page.locator("input, textarea").evaluate_all("all => all.map(e => e.value)"))
        form.fill({"Description": "edited"}, extra_fields(timeout="", settle_seconds=0.5, allow_http=False))
    shown = stored(airflow, connection_id)
    assert (shown["description"], shown["password"]) == ("edited", "***")
    edited = {**extra, "timeout": None, "settle_seconds": 0.5, "allow_http": False}
    assert json.loads(shown["extra"]) == {"anycost_connection_id": STREAM, **edited}
    assert "Works: CloudZero accepts the API key" in pages.test(connection_id)

    [run] = run_of(airflow, pages, "saved_connection")
    assert run.state == "success", [log.read_text() for log in airflow.task_logs("saved_connection", run)]
    assert list(sandbox.months()) == ["2026-03"]
    assert sandbox.rows("2026-03") == BILL
    # Its host is not CloudZero's, so the links lead there.
    check_links(pages, "saved_connection", run, dict.fromkeys(LINKS, f"{sandbox.url}/"))

    pages.page.context.close()
    replies = replies_in(tmp_path / "received.har")
    assert any("/api/v2/connections" in url and connection_id in text for url, text in replies)
    assert [url for url, text in replies if KEY in text] == []


def test_a_task_that_failed_has_its_link(airflow, pages, sandbox):
    [run] = run_of(airflow, pages, "refused_rows")
    assert run.state == "failed"
    assert sandbox.writes() == []
    # The test above saves the connection; without one, the links lead to CloudZero.
    is_saved = airflow._session.get(f"{airflow.url}/api/v2/connections/{CONNECTION['cloudzero_conn_id']}").ok
    check_links(pages, "refused_rows", run, dict.fromkeys(LINKS, f"{sandbox.url}/") if is_saved else CLOUDZERO)


def test_the_key_is_in_no_log_no_database_and_no_output(airflow):
    assert_key_in_no_file(airflow, KEY)


def run_of(airflow, pages, dag_id):
    pages.trigger(dag_id)

    def is_over():
        return [run.state in ("success", "failed") for run in airflow.runs(dag_id)] == [True]

    airflow.wait(dag_id, is_over, limit=240)
    return airflow.runs(dag_id)


def check_links(pages, dag_id, run, addresses):
    for task_id, name in LINKS.items():
        pages.details(dag_id, run.run_id, task_id)
        link = pages.page.get_by_role("link", name=name)
        expect(link).to_be_visible()
        expect(link).to_have_attribute("href", addresses[task_id])
