"""What the page's script fetches while it is open, and how a browser is told to treat it."""

from __future__ import annotations

import re
import shlex
import subprocess
import threading
from html import unescape

import pytest
import requests
from support.paths import ROOT

STATIC = ROOT / "cloudzero_provider" / "sandbox" / "page" / "static"


def fetch(cloudzero, tag=None, **query):
    headers = {"If-None-Match": tag} if tag else {}
    return requests.get(f"{cloudzero.url}/sandbox/page", params=query, headers=headers, timeout=60)


def content(cloudzero, **query):
    reply = fetch(cloudzero, **query)
    assert reply.status_code == 200, reply.text[:500]
    return reply.text


def part(text, key):
    """A section of the page, as the text that a person reads, cells apart."""
    [inside] = re.findall(rf'<section id="{key}".*?</section>', text, re.DOTALL)
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", inside)))


def rows_of(text, caption):
    """The rows of a table, each as its cells."""
    [table] = [table for table in re.findall(r"<table>.*?</table>", text, re.DOTALL) if f"<caption>{caption}" in table]
    rows = re.findall(r"<tr.*?</tr>", table, re.DOTALL)
    return [[re.sub("<[^>]+>", "", cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row)] for row in rows]


def test_the_page_is_the_frame_with_the_content(cloudzero):
    cloudzero.post([cloudzero.row("1.50")])
    whole = cloudzero.session.get(f"{cloudzero.url}/", timeout=10).text
    [inside] = re.findall(r'<main id="content" tabindex="-1">(.*)</main>', whole, re.DOTALL)
    assert inside == content(cloudzero)


def test_nothing_is_sent_again_until_something_changes(cloudzero):
    cloudzero.post([cloudzero.row("1")])
    first = fetch(cloudzero)
    again = fetch(cloudzero, first.headers["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    cloudzero.post([cloudzero.row("2")])
    changed = fetch(cloudzero, first.headers["ETag"])
    assert (changed.status_code, changed.headers["ETag"] == first.headers["ETag"]) == (200, False)
    cloudzero.arm({"kind": "lose_request"})
    assert fetch(cloudzero, changed.headers["ETag"]).status_code == 200


@pytest.mark.parametrize("path", ["/", "/sandbox/page", "/sandbox/page/script.js", "/sandbox/page/style.css"])
def test_a_browser_may_load_nothing_from_anywhere_else(cloudzero, path):
    headers = requests.get(cloudzero.url + path, timeout=10).headers
    policy = dict(rule.strip().split(" ", 1) for rule in headers["Content-Security-Policy"].split(";"))
    assert policy.pop("default-src") == policy.pop("base-uri") == policy.pop("frame-ancestors") == "'none'"
    assert set(policy.values()) == {"'self'"}
    assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"]) == ("nosniff", "no-referrer")


def test_the_page_has_nothing_that_the_policy_forbids(cloudzero):
    cloudzero.post([cloudzero.row("1.50")])
    whole = cloudzero.session.get(f"{cloudzero.url}/", timeout=10).text
    assert not re.search(r'\son\w+="|\sstyle="|<style|javascript:', whole)
    assert set(re.findall(r'(?:src|href|action)="([^?#"]*)', whole)) == {
        "", "/", "/sandbox/page/icon.svg", "/sandbox/page/style.css", "/sandbox/page/script.js"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "kind"), [("script.js", "text/javascript"), ("style.css", "text/css"), ("icon.svg", "image/svg+xml")]
)
def test_the_files_of_the_page(cloudzero, name, kind):
    reply = requests.get(f"{cloudzero.url}/sandbox/page/{name}", timeout=10)
    assert reply.headers["Content-Type"] == f"{kind}; charset=utf-8"
    assert reply.content == (STATIC / name).read_bytes()
    # The icon names its format by an address, which nobody opens.
    assert b"http" not in reply.content.replace(b"http://www.w3.org/2000/svg", b"")


@pytest.mark.parametrize("path", ["page", "page/script.js"])
def test_other_origins_have_no_access(cloudzero, path):
    for headers in ({"Origin": "https://evil.example"}, {"Host": "evil.example"}):
        assert cloudzero.own("GET", path, headers=headers).status_code == 403


def test_an_empty_sandbox_says_what_to_do_first_and_it_works(cloudzero):
    shown = content(cloudzero)
    first = part(shown, "first")
    assert "export AIRFLOW_CONN_CLOUDZERO_DEFAULT=" in first
    assert f'"host": "{cloudzero.url}"' in first
    assert cloudzero.KEY not in shown
    [command] = re.findall(r"curl .*?\}'", first)
    program = ["bash", "-c", f"KEY={shlex.quote(cloudzero.KEY)}; {command} --silent --fail"]
    subprocess.run(program, check=True, timeout=20, capture_output=True)
    assert cloudzero.months()["2026-03"]["total_cost"] == "12.50"
    shown = content(cloudzero)
    assert "What to do first" not in shown
    assert rows_of(shown, "Cost by day and service in 2026-03")[0] == ["Day", "Compute", "Total"]


def test_costs_by_day_and_service_are_exact_and_follow_each_change(cloudzero):
    def row(cost, day, service):
        return cloudzero.row(cost, f"2024-08-{day:02}T05:00:00Z", **({"resource/service": service} if service else {}))

    def figures():
        rows = rows_of(content(cloudzero), "Cost by day and service in 2024-08")
        return rows[0], {row[0]: row[1:] for row in rows[1:] if any(row[1:])}

    long = "1234567890123456789.000000000000000000000000000001"
    cloudzero.post([row(long, 1, "Compute"), row("0.1", 1, "Compute"), row("-0.2", 2, "Disk"), row("0.3", 2, "")])
    heads, by_day = figures()
    assert heads == ["Day", "Compute", "no service", "Disk", "Total"]
    assert by_day == {
        "2024-08-01": ["1,234,567,890,123,456,789.100000000000000000000000000001", "", "", "1,234,567,890,123,456,789.100000000000000000000000000001"],
        "2024-08-02": ["", "0.3", "-0.2", "0.1"],
        "Total": ["1,234,567,890,123,456,789.100000000000000000000000000001", "0.3", "-0.2", "1,234,567,890,123,456,789.200000000000000000000000000001"],
    }  # fmt: skip
    cloudzero.post([row("5", 1, "Disk")], "replace_hourly")
    assert figures()[1]["2024-08-01"] == ["5", "", "5"]
    cloudzero.post([row("5", 1, "Disk")], "sum")
    assert figures()[1]["2024-08-01"] == ["10", "", "10"]
    cloudzero.post([row("7", 3, "Disk")])
    assert list(figures()[1]) == ["2024-08-03", "Total"]


def test_more_services_than_colors_are_other(cloudzero):
    cloudzero.post([cloudzero.row(str(100 - n), **{"resource/service": f"service {n}"}) for n in range(9)])
    shown = content(cloudzero)
    named = [f"service {n}" for n in range(6)]
    assert rows_of(shown, "Cost by day and service")[0] == ["Day", *named, "other (3 services)", "Total"]
    assert rows_of(shown, "Cost by day and service")[-1][-2:] == ["279", "864"]
    assert [row[0] for row in rows_of(shown, "Cost by service")[1:]] == [f"service {n}" for n in range(9)]


def test_a_month_and_a_stream_are_chosen(cloudzero):
    for month in ("2024-06", "2024-07"):
        cloudzero.post([cloudzero.row("1", f"{month}-01T00:00:00Z")], month=month)
    other = cloudzero.OTHER_STREAM
    cloudzero.post([cloudzero.row("1", "2024-01-01T00:00:00Z")], month="2024-01", stream=other)

    def shown(**query):
        text = content(cloudzero, **query)
        [title] = re.findall(r'<h2 id="costs-title">(.*?)</h2>', text)
        chosen = re.findall(r'<select name="(stream|month)".*?<option value="([^"]*)" selected>', text)
        return title, dict(chosen)

    latest = ("Cost by day, 2024-07", {"stream": cloudzero.STREAM, "month": "2024-07"})
    assert shown() == shown(stream=cloudzero.STREAM) == shown(stream="nobody's", month="1999-01") == latest
    assert shown(stream=cloudzero.STREAM, month="2024-06")[0] == shown(month="2024-06")[0] == "Cost by day, 2024-06"
    assert shown(month="2024-01")[1]["stream"] == other
    # A month of the stream that was shown before.
    assert shown(stream=other, month="2024-06") == ("Cost by day, 2024-01", {"stream": other, "month": "2024-01"})


def test_many_months_are_in_one_list_and_one_chart(cloudzero):
    names = [f"{year}-{month:02}" for year in (2021, 2022, 2023, 2024) for month in range(1, 13)]
    for name in names:
        if name != "2022-05":
            assert cloudzero.post([cloudzero.row("1", f"{name}-01T00:00:00Z")], month=name).status_code == 200
    shown = content(cloudzero)
    held = [name for name in reversed(names) if name != "2022-05"]
    assert [row[0] for row in rows_of(shown, "Months of sandbox-stream")[1:]] == held
    [listed] = re.findall(r'<select name="month".*?</select>', shown)
    assert re.findall(r'value="([^"]+)"', listed) == held
    assert "<title>2022-05: nothing</title>" in shown
    assert "47 in 47 months" in part(shown, "months")


def test_telemetry_by_element(cloudzero):
    for day, element, value in ((1, "a", "1.5"), (1, "b", "2"), (3, "a", "0.25")):
        record = cloudzero.allocation(value, f"2024-09-{day:02}", element=element)
        assert cloudzero.send([record], kind="allocation", name="shared").status_code == 200
    rows = rows_of(content(cloudzero), "shared, 2024-09: value by day and element")
    assert rows[0] == ["Day", "b", "a", "Total"]
    assert {row[0]: row[1:] for row in rows[1:] if any(row[1:])} == {
        "2024-09-01": ["2", "1.5", "3.5"], "2024-09-03": ["", "0.25", "0.25"], "Total": ["2", "1.75", "3.75"]
    }  # fmt: skip


def test_a_monthly_stream_is_shown_by_year(cloudzero):
    for month, value in (("2023-12-01", 1), ("2024-02-01", 2), ("2024-03-01", 3)):
        assert cloudzero.send([cloudzero.metric(value, month, granularity="MONTHLY")], name="m").status_code == 200
    text = content(cloudzero)
    rows = rows_of(text, "m, 2024: value by month and element")
    assert [row[1] for row in rows[1:]] == ["", "2", "3", *[""] * 9, "5"]
    assert rows_of(content(cloudzero, period="2023"), "m, 2023")[12] == ["2023-12", "1", "1"]


def test_requests_with_their_outcome_and_the_words_of_refusals(cloudzero):
    cloudzero.post([cloudzero.row("1")])
    cloudzero.post([cloudzero.row("x")])
    cloudzero.send([{"timestamp": "2024-09-01"}])
    cloudzero.session.get(f"{cloudzero.url}/v2/connections/billing", headers={"Authorization": "no"}, timeout=10)
    cloudzero.arm({"kind": "apply_then_lose_reply"}, {"kind": "refuse", "status": 418, "body": "I am <b>a teapot</b>"})
    with pytest.raises(requests.ConnectionError):
        cloudzero.post([cloudzero.row("2")])
    cloudzero.post([cloudzero.row("3")])
    cloudzero.wait_for(lambda: all(request["ended"] for request in cloudzero.requests()))
    heads, *rows = rows_of(content(cloudzero), "The last 6 of 6 requests")
    assert heads == ["No.", "Time", "Operation", "Stream", "Month", "Rows", "Size", "Duration", "Outcome"]
    outcomes = [row[-1] for row in rows]
    assert outcomes[:3] == ["418 refused by a faultI am &lt;b&gt;a teapot&lt;/b&gt;", "no reply reply lost by a fault, applied", "403 Forbidden"]  # fmt: skip
    assert outcomes[3].startswith("400 multiple errors; record 0")
    assert outcomes[4].startswith("400 The drop was refused: row 0, cost/cost")
    assert outcomes[5] == "200 "
    assert rows[5][2:6] == ["replace_drop POST …/billing_drops", "sandbox-stream", "2024-08", "1"]
    assert re.fullmatch(r"\d+ B \d+ ms", " ".join(rows[5][6:8]))
    messages = [request["message"] for request in cloudzero.requests()]
    assert messages[0] is None
    assert messages[5] == "I am <b>a teapot</b>"


def test_requests_of_one_stream(cloudzero):
    cloudzero.post([cloudzero.row("1")])
    cloudzero.post([cloudzero.row("1")], stream=cloudzero.OTHER_STREAM)
    cloudzero.send([cloudzero.metric()])
    cloudzero.send([cloudzero.metric()], name="clicks")

    def streams(chosen):
        text = content(cloudzero, requests=chosen)
        return [row[3] for row in rows_of(text, "The last")[1:]] if "<caption>The last" in text else []

    assert streams("") == ["clicks", "orders", "second-stream", "sandbox-stream"]
    assert streams(f"billing/{cloudzero.STREAM}") == ["sandbox-stream"]
    assert streams("telemetry/orders") == ["orders"]
    assert len(streams("telemetry/nobody's")) == 4


def test_no_key_is_in_the_words_of_a_refusal(cloudzero):
    cloudzero.arm({"kind": "refuse", "status": 400, "body": f"your key is {cloudzero.KEY}"})
    assert cloudzero.KEY in cloudzero.post([cloudzero.row("1")]).text
    assert cloudzero.KEY not in content(cloudzero)
    assert "your key is ***" in content(cloudzero)
    assert cloudzero.KEY not in cloudzero.own("GET", "requests").text


def test_a_request_that_is_applied_after_its_reply_was_lost(cloudzero):
    cloudzero.arm({"kind": "lose_reply_then_apply", "seconds": 1})
    with pytest.raises(requests.ConnectionError):
        cloudzero.post([cloudzero.row("1")])
    assert rows_of(content(cloudzero), "The last")[1][-1] == "running reply lost by a fault"
    cloudzero.wait_for(lambda: cloudzero.requests()[0]["ended"])
    assert rows_of(content(cloudzero), "The last")[1][-1] == "no reply reply lost by a fault, applied later"


def test_faults_and_settings_are_shown(cloudzero):
    assert "No fault is armed" in part(content(cloudzero), "faults")
    assert "settings have their defaults" in part(content(cloudzero), "settings")
    cloudzero.arm({"kind": "slow", "seconds": 2, "month": "2024-08", "skip": 1}, {"kind": "refuse", "status": 429})
    cloudzero.set(gzip="accept")
    shown = content(cloudzero)
    assert rows_of(shown, "Armed faults")[1:] == [
        ["slow", "POST; month: 2024-08; seconds: 2.0", "1", "1"],
        ["refuse", 'POST; status: 429; body: {&quot;message&quot;: &quot;Refused by a fault of the sandbox&quot;}', "0", "1"],
    ]  # fmt: skip
    assert "Changed: gzip=accept" in part(shown, "settings")
    assert rows_of(shown, "What CloudZero has not published")[1] == ["gzip", "accept", "refuse", "accept, refuse"]


def test_every_table_has_a_caption_and_headings(cloudzero):
    cloudzero.post([cloudzero.row("1")])
    cloudzero.send([cloudzero.metric()])
    cloudzero.arm({"kind": "lose_request"})
    tables = re.findall(r"<table>.*?</table>", content(cloudzero), re.DOTALL)
    assert len(tables) == 7
    for table in tables:
        assert table.startswith("<table><caption>")
        assert not re.search(r"<th(?! scope=)(?!ead)", table)
        assert '<th scope="col"' in table


def test_many_look_at_a_month_that_grows(cloudzero):
    """The page and the control API read at the same time as requests change what they read."""
    ended = threading.Event()
    statuses = set()

    def look(path):
        while not ended.is_set():
            statuses.add(requests.get(cloudzero.url + path, timeout=30).status_code)

    lookers = [threading.Thread(target=look, args=(path,)) for path in ("/sandbox/page", "/", "/sandbox/state") * 2]
    for looker in lookers:
        looker.start()
    try:
        for hour in range(24):
            cloudzero.post([cloudzero.row("1", f"2024-08-01T{hour:02}:00:00Z")], "sum")
            cloudzero.send([cloudzero.metric(1, f"2024-09-{hour + 1:02}")])
    finally:
        ended.set()
        for looker in lookers:
            looker.join()
    assert statuses == {200}
