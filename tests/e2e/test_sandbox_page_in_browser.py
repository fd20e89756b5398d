"""The sandbox's page in a real browser, while operators and plain clients send to it."""

from __future__ import annotations

import calendar
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
import requests
from playwright.sync_api import expect
from support.sandbox_server import KEY, STREAM, SandboxServer
from support.tasks import connect, send, send_telemetry

# Imported here because it takes seconds, which the first wait for a month would have to include.
from cloudzero_provider.operators import anycost, telemetry  # noqa: F401

OTHER = "vendor-b"
SERVICES = ("Compute", "Storage", "Support")
SECOND = 1000
# An upper limit, for machines that run other tests beside these.
expect.set_options(timeout=20 * SECOND)


@pytest.fixture(scope="module")
def own_server(tmp_path_factory):
    """A sandbox with two streams."""
    options = [option for name in (f"{STREAM}=acme-cloud", OTHER) for option in ("--connection", name)]
    server = SandboxServer(tmp_path_factory.mktemp("sandbox"), *options)
    yield server
    server.stop()


@pytest.fixture
def held(own_server, monkeypatch):
    own_server.reset()
    own_server.default_settings()
    connect(monkeypatch, own_server)
    return own_server


def is_unexpected(message):
    """Whether the browser complains of something else than a status that a test asked for."""
    return message.type in ("error", "warning") and "the server responded with a status of" not in message.text


@pytest.fixture
def open_page(browser, held):
    """Open the page; afterwards, it has had no error, and asked nobody else."""
    contexts, errors, asked = [], [], set()

    def opened(path="/", **options):
        context = browser.new_context(**{"viewport": {"width": 1200, "height": 900}, **options})
        context.set_default_timeout(8 * SECOND)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if is_unexpected(message) else None)
        page.on("request", lambda request: asked.add(re.match(r"\w+:(//[^/]*)?", request.url)[0]))
        page.goto(held.url + path)
        if options.get("java_script_enabled", True):
            page.evaluate("window.neverLoadedAgain = true")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []
    assert asked == {held.url}


@pytest.fixture
def page(open_page):
    return open_page()


def bill(month, cost="1.25"):
    year, number = map(int, month.split("-"))
    return [
        {
            "time/usage_start": f"{month}-{day:02}T00:00:00Z",
            "cost/cost": f"{cost}{position}",
            "resource/service": service,
        }
        for day in range(1, calendar.monthrange(year, number)[1] + 1)
        for position, service in enumerate(SERVICES)
    ]


def post(server, month, stream=STREAM, data=None):
    url = f"{server.url}/v2/connections/billing/anycost/{stream}/billing_drops"
    body = {"month": month, "operation": "replace_drop", "data": bill(month) if data is None else data}
    return requests.post(url, json=body, headers={"Authorization": KEY}, timeout=30)


def was_not_loaded_again(page):
    return page.evaluate("window.neverLoadedAgain === true")


def months(page):
    return page.get_by_role("table", name="Months of").get_by_role("rowheader")


def test_a_backfill_is_seen_while_it_runs(page, held):
    expect(page.get_by_role("heading", name="Nothing here yet. What to do first")).to_be_visible()
    names = [f"2025-{number:02}" for number in range(1, 13)]
    third_was_seen = threading.Event()

    def backfill():
        for name in names:
            send(month=name, records=bill(name))
            if name == "2025-03":
                third_was_seen.wait(20)
        records = [
            {"timestamp": f"2025-12-{day:02}", "granularity": "DAILY", "element_name": element, "value": str(day)}
            for day in range(1, 29)
            for element in ("search", "checkout")
        ]
        # A stream comes into being with its first sum, and a sum needs a store; so with a plain request.
        url = f"{held.url}/unit-cost/v1/telemetry/allocation/orders-per-team/sum"
        requests.post(url, json={"records": records[:1]}, headers={"Authorization": KEY}, timeout=30)
        send_telemetry(records=records)

    with ThreadPoolExecutor(1) as worker:
        sending = worker.submit(backfill)
        expect(months(page)).to_have_text(["2025-03", "2025-02", "2025-01"])
        expect(page.get_by_role("heading", name="Cost by day, 2025-03")).to_be_visible()
        expect(page.get_by_label("Month", exact=True).first).to_have_value("2025-03")
        third_was_seen.set()
        expect(months(page)).to_have_text(names[::-1])
        sending.result()
    expect(page.get_by_role("heading", name="Cost by day, 2025-12")).to_be_visible()
    expect(page.locator("#costs .plot rect")).to_have_count(31 * 3)
    expect(page.get_by_role("list", name="Services")).to_contain_text("Storage")
    expect(page.get_by_role("heading", name="orders-per-team, 2025-12")).to_be_visible()
    expect(page.locator("#telemetry .plot rect")).to_have_count(28 * 2)

    page.get_by_text("Cost by day as a table").click()
    table = page.get_by_role("table", name="Cost by day and service in 2025-12")
    expect(table.get_by_role("row", name="2025-12-31")).to_have_text(re.compile("1.252.*1.251.*1.25.*3.753"))
    expect(table.get_by_role("row", name=re.compile("^Total"))).to_contain_text("116.343")
    assert sum(int(day["rows"]) for day in held.months().values()) == 3 * 365
    assert was_not_loaded_again(page)


def test_what_a_person_did_survives_an_update(page, held):
    for number in range(1, 13):
        post(held, f"2024-{number:02}")
    expect(months(page)).to_have_count(12)
    page.get_by_text("Cost by day as a table").click()
    page.get_by_label("Month", exact=True).first.select_option("2024-02")
    expect(page.get_by_role("heading", name="Cost by day, 2024-02")).to_be_visible()
    page.get_by_label("Requests of", exact=True).select_option(label=OTHER)
    expect(page.get_by_text("No requests yet.")).to_be_visible()
    page.get_by_label("Requests to skip").fill("7")
    link = page.get_by_role("link", name="2024-05")
    link.focus()
    page.get_by_role("region", name="Months of acme-cloud").evaluate("box => box.scrollTop = 60")
    places = [part.bounding_box() for part in (link, page.get_by_label("Requests of", exact=True))]

    post(held, "2025-01", OTHER)
    post(held, "2025-02")
    expect(months(page)).to_have_count(13)
    expect(page.get_by_role("table", name="The last requests of vendor-b")).to_contain_text(OTHER)
    expect(link).to_be_focused()
    assert [part.bounding_box() for part in (link, page.get_by_label("Requests of", exact=True))] == places
    expect(page.get_by_role("heading", name="Cost by day, 2024-02")).to_be_visible()
    expect(page.get_by_role("table", name="Cost by day and service in 2024-02")).to_be_visible()
    expect(page.get_by_label("Requests to skip")).to_have_value("7")
    assert was_not_loaded_again(page)

    page.go_back()
    page.go_back()
    expect(page.get_by_role("heading", name="Cost by day, 2025-02")).to_be_visible()
    assert was_not_loaded_again(page)


def test_a_refusal_is_shown_in_its_own_words_as_text(page, held):
    post(
        held,
        "2025-01",
        data=[{"time/usage_start": "2025-01-01T00:00:00Z", "cost/cost": "<img src=x onerror=alert(1)>"}],
    )
    post(held, "2025-01", data=[{**bill("2025-01")[0], "resource/service": "<img src=x onerror=alert(1)>"}])
    refused = page.get_by_role("row", name="400")
    expect(refused).to_contain_text("The drop was refused: row 0, cost/cost")
    expect(page.get_by_role("list", name="Services")).to_contain_text("<img src=x onerror=alert(1)>")
    assert page.locator("img").count() == 0


def test_a_fault_is_armed_fires_and_is_disarmed_and_an_invalid_one_is_refused(page, held):
    page.get_by_label("Fault", exact=True).select_option("refuse")
    page.get_by_label("Status").fill("429")
    page.get_by_label("Retry-After").fill("0")
    page.locator("#arm").get_by_label("Stream").select_option(label="acme-cloud")
    page.locator("#arm").get_by_label("Month").fill("2025-01")
    page.get_by_role("button", name="Arm", exact=True).click()
    armed = page.get_by_role("table", name="Armed faults")
    expect(armed.get_by_role("row", name="refuse")).to_contain_text("month: 2025-01; connection_id: 1234abcd")
    assert [fault["retry_after"] for fault in held.armed()] == ["0"]

    assert send(month="2025-01", records=bill("2025-01"))["rows"] == 93
    expect(armed).to_have_count(0)
    expect(page.get_by_role("row", name="429")).to_contain_text("refused by a fault")
    assert [request["status"] for request in held.writes()] == [429, 200]

    page.get_by_label("Fault", exact=True).select_option("slow")
    expect(page.get_by_label("Status")).to_be_hidden()
    page.get_by_label("Seconds", exact=True).fill("30")
    page.get_by_role("button", name="Arm", exact=True).click()
    expect(armed).to_contain_text("slow")
    page.get_by_role("button", name="Disarm all").click()
    expect(armed).to_have_count(0)
    assert held.armed() == []

    page.get_by_label("Fault", exact=True).select_option("refuse")
    page.locator("#arm").evaluate("form => form.noValidate = true")
    page.get_by_label("Status").fill("200")
    page.get_by_role("button", name="Arm", exact=True).click()
    expect(page.get_by_text("fault 0: status must be a whole number of at least 400")).to_be_visible()
    assert held.armed() == []
    assert was_not_loaded_again(page)


def test_by_keyboard_alone(page, held):
    post(held, "2024-01")
    post(held, "2024-02")
    expect(months(page)).to_have_count(2)

    def tab_to(target):
        for _ in range(60):
            if target.evaluate("element => element === document.activeElement"):
                outline = target.evaluate("element => getComputedStyle(element).outlineStyle")
                assert outline == "solid", "the focus is visible"
                return
            page.keyboard.press("Tab")
        raise AssertionError("not reached by Tab")

    tab_to(page.get_by_role("link", name="Skip to the content"))
    tab_to(page.get_by_role("button", name="Pause"))
    tab_to(page.get_by_label("Month", exact=True).first)
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("heading", name="Cost by day, 2024-01")).to_be_visible()
    tab_to(page.locator("#costs-table summary"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("table", name="Cost by day and service in 2024-01")).to_be_visible()
    tab_to(page.get_by_role("link", name="2024-02"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Cost by day, 2024-02")).to_be_visible()
    tab_to(page.get_by_label("Fault", exact=True))
    page.keyboard.type("lose_req")
    tab_to(page.get_by_role("button", name="Arm", exact=True))
    page.keyboard.press("Enter")
    expect(page.get_by_role("table", name="Armed faults")).to_contain_text("lose_request")
    tab_to(page.locator("#settings-table summary"))
    assert was_not_loaded_again(page)


def test_updates_can_be_paused_and_a_lost_sandbox_is_noticed(page, held):
    status = page.locator("#live")
    expect(status).to_have_text("Live")
    page.get_by_role("button", name="Pause").click()
    expect(status).to_have_text("Paused")
    post(held, "2025-01")
    page.wait_for_timeout(1200)
    expect(page.get_by_text("No billing drops yet.")).to_be_visible()
    page.get_by_role("button", name="Continue").click()
    expect(months(page)).to_have_text(["2025-01"])
    page.route("**/sandbox/page*", lambda route: route.fulfill(status=500))
    expect(status).to_have_text("The sandbox does not reply. Trying again.")
    page.unroute("**/sandbox/page*")
    expect(status).to_have_text("Live")


def colors(page, *names):
    style = "name => getComputedStyle(document.documentElement).getPropertyValue(name)"
    return [page.evaluate(style, f"--{name}").strip() for name in names]


def test_light_and_dark(page, held):
    post(held, "2025-01")
    expect(months(page)).to_have_count(1)
    seen = []
    for scheme, card in (("light", "rgb(255, 255, 255)"), ("dark", "rgb(26, 32, 41)")):
        page.emulate_media(color_scheme=scheme)
        expect(page.locator("#costs")).to_have_css("background-color", card)
        seen.append(set(colors(page, "s1", "ink", "page")))
    assert seen[0].isdisjoint(seen[1])


def test_on_a_phone(open_page, held):
    for number in range(1, 13):
        post(held, f"2024-{number:02}")
    page = open_page(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    expect(months(page)).to_have_count(12)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    plot = page.locator("#costs .plot").bounding_box()
    assert plot["width"] > 220
    labels = [label for label in page.locator("#costs .plot text").all() if label.is_visible()]
    boxes = [label.bounding_box() for label in labels]
    assert len(boxes) == 8
    assert all(one["x"] + one["width"] < other["x"] for one, other in pairwise(boxes))
    outcome = page.locator("#requests tbody tr").first.get_by_text("200")
    outcome.scroll_into_view_if_needed()
    box = outcome.bounding_box()
    assert 0 <= box["x"] < box["x"] + box["width"] <= 360
    page.get_by_label("Month", exact=True).first.select_option("2024-03")
    expect(page.get_by_role("heading", name="Cost by day, 2024-03")).to_be_visible()


def test_without_javascript(open_page, held):
    post(held, "2024-01")
    post(held, "2024-02")
    page = open_page("/?requests=billing/vendor-b", java_script_enabled=False)
    expect(page.get_by_text("Without JavaScript, reload the page")).to_be_visible()
    page.get_by_label("Month", exact=True).first.select_option("2024-01")
    page.locator("#costs").get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", name="Cost by day, 2024-01")).to_be_visible()
    expect(page.get_by_label("Requests of", exact=True)).to_have_value("billing/vendor-b")
    expect(page.locator("#costs .plot rect")).to_have_count(31 * 3)
    expect(page.locator("#arm")).to_be_hidden()
    expect(page.get_by_text("curl -d")).to_be_visible()


def test_another_page_can_not_use_it(held, browser):
    """A page of another origin gets neither the page's content, nor arms a fault, nor shows it in a frame."""
    other = browser.new_context()
    page = other.new_page()
    page.route(
        "http://evil.example/", lambda route: route.fulfill(body="<title>evil</title>", content_type="text/html")
    )
    page.goto("http://evil.example/")
    for method, path in (("GET", "/sandbox/page"), ("POST", "/sandbox/faults")):
        call = f"fetch('{held.url}{path}', {{method: '{method}', body: '{method}' === 'POST' ? '{{}}' : null}})"
        assert page.evaluate(f"{call}.then(() => 'read', () => 'refused')") == "refused"
    assert held.armed() == []
    other.close()
