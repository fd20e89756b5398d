"""
Take the screenshots of the documentation.

They show a backfill of a year in a real Airflow, the sandbox that it is sent to, and a month that waits for approval.
``make screenshots`` writes them to docs/images. It needs Chromium, as the tests of ``tests/e2e`` do.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import requests
from acme_bill import month_rows
from demo import DAGS, ROOT, TELEMETRY
from demo_airflow import Airflow, airflow_settings, clean_environment, free_port
from demo_processes import Processes, StopSignals, adopt_orphans
from markdown_it import MarkdownIt
from playwright.sync_api import Browser, Page, sync_playwright

from cloudzero_provider import sources
from cloudzero_provider.anycost.checks import check_rows
from cloudzero_provider.anycost.plan import Limits, Operation
from cloudzero_provider.anycost.planning import plan_month
from cloudzero_provider.anycost.send import send_month
from cloudzero_provider.anycost.send_options import SendOptions
from cloudzero_provider.client import Client
from cloudzero_provider.months import Month

if TYPE_CHECKING:
    from collections.abc import Iterator

MONTHLY = "anycost_monthly_partitioned"
MONTHS = ("2025-01-01", "2025-12-31")
APPROVAL, APPROVED_MONTH = "anycost_plan_approve_send", "2025-06"
STREAM = "acme-cloud"
KEY = "screenshots"
WIDTH, HEIGHT = 1360, 720
#: How most viewers show Markdown.
REPORT_STYLE = (
    "body { font: 14px sans-serif; margin: 24px } table { border-collapse: collapse; margin: 12px 0 }"
    " td, th { border: 1px solid #ccc; padding: 3px 8px } td:first-child { white-space: nowrap }"
    " code { background: #eee; padding: 1px 4px }"
)
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


@contextmanager
def started(folder: Path) -> Iterator[tuple[Airflow, str]]:
    """Start a sandbox and an Airflow with the example DAGs."""
    adopt_orphans()
    for name in ("airflow", "home", "logs"):
        (folder / name).mkdir()
    processes = Processes(StopSignals(), folder / "logs")
    try:
        environment = clean_environment(folder / "home") | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        options = ["--port", "0", "--data", folder / "sandbox", "--connection", STREAM, "--api-key", KEY]
        sandbox = processes.start(
            "sandbox", [sys.executable, "-m", "cloudzero_provider.sandbox", *options], environment
        )
        while " at http" not in sandbox.log.read_text():
            time.sleep(0.1)
        address = sandbox.log.read_text().rsplit(" at http", 1)[1].split()[0]
        connection = {"conn_type": "cloudzero", "host": f"http{address}", "password": KEY}
        connection["extra"] = {"anycost_connection_id": STREAM, "settle_seconds": 1}
        url = f"http://127.0.0.1:{free_port()}"
        settings = airflow_settings(folder / "airflow", DAGS, url, connection) | {"AIRFLOW__CORE__PARALLELISM": "4"}
        airflow = Airflow(folder / "airflow", environment | settings, url, processes, print)
        airflow.command("db", "migrate")
        airflow.start()
        airflow.wait("Airflow", lambda: airflow.is_up([MONTHLY, TELEMETRY, APPROVAL]), limit=240)
        yield airflow, connection["host"]
    finally:
        processes.end_all()


def start_backfill(airflow: Airflow) -> None:
    """Start to send a year of months and a day of telemetry."""
    for dag_id in (MONTHLY, TELEMETRY):
        airflow.command("dags", "unpause", dag_id, limit=300)
    first, last = MONTHS
    dates = ("--from-date", first, "--to-date", last)
    airflow.command("backfill", "create", "--dag-id", MONTHLY, *dates, "--max-active-runs", "4", limit=300)


def is_done(airflow: Airflow) -> bool:
    """Whether all runs have succeeded."""
    states = [run.state for dag_id in (MONTHLY, TELEMETRY) for run in airflow.runs(dag_id)]
    return len(states) >= 13 and set(states) == {"success"}


def arm_faults(sandbox: str) -> None:
    """Let some things go wrong, which the backfill survives."""
    faults = [
        {"kind": "refuse", "status": 429, "retry_after": 1, "month": "2025-10"},
        {"kind": "apply_then_lose_reply", "month": "2025-11"},
        {"kind": "lose_request", "month": "2025-12"},
    ]
    requests.post(f"{sandbox}/sandbox/faults", json={"faults": faults}, timeout=30).raise_for_status()


def send_older_bill(sandbox: str) -> None:
    """Send an older bill of a month: a service was cheaper, another was in it, and the last days are missing."""
    rows = [row for row in month_rows(APPROVED_MONTH) if row["time/usage_start"] < f"{APPROVED_MONTH}-29"]
    for row in rows:
        if row.get("resource/service") == "Acme Database":
            row["cost/cost"] = str(Decimal(row["cost/cost"]) * Decimal("0.85"))
    trial = {"resource/service": "Acme Trial", "resource/account": "search-staging"}
    rows += [{**trial, "time/usage_start": f"{APPROVED_MONTH}-{day:02}", "cost/cost": "4.5"} for day in range(3, 10)]
    client = Client(KEY, base_url=sandbox, settle_seconds=1)
    send_month(client, STREAM, check_rows(sources.from_records(rows), Month.parse(APPROVED_MONTH)), SendOptions())
    client.close()


def take_approval(page: Page, airflow: Airflow, folder: Path) -> None:
    """Take a screenshot of the page on which a month is approved."""
    airflow.command("dags", "unpause", APPROVAL, limit=300)
    airflow.command("dags", "trigger", APPROVAL, "--conf", json.dumps({"month": APPROVED_MONTH}), limit=300)
    [run] = airflow.runs(APPROVAL)

    def is_asked() -> bool:
        return any("approve_bill" in str(log) for log in airflow.task_logs(APPROVAL, run))

    airflow.wait("the approval", is_asked, limit=240)
    page.wait_for_timeout(5000)
    page.goto(f"{airflow.url}/dags/{APPROVAL}/runs/{run.run_id}/tasks/approve_bill/required_actions")
    page.get_by_role("button", name="Approve").wait_for()
    page.wait_for_timeout(2500)
    save(page, folder / "approval-in-airflow.png")


def take_report(page: Page, sandbox: str, folder: Path) -> None:
    """Take a screenshot of the beginning of the same plan as a file, as a viewer of Markdown shows it."""
    client = Client(KEY, base_url=sandbox)
    checked = check_rows(sources.from_records(month_rows(APPROVED_MONTH)), Month.parse(APPROVED_MONTH))
    report = plan_month(client, STREAM, checked, Operation.REPLACE_DROP, Limits())
    client.close()
    page.set_content(f"<style>{REPORT_STYLE}</style>{MarkdownIt().enable('table').render(report.markdown)}")
    save(page, folder / "plan-report.png")


@dataclass
class SandboxPage:
    """The sandbox's page, which stays open while the backfill runs."""

    page: Page
    folder: Path
    is_taken: bool = False

    def take(self, name: str, top: str = "body") -> None:
        """Take a screenshot of what a window shows that begins with an element."""
        self.page.locator(top).evaluate("element => window.scrollTo(0, element.offsetTop - 16)")
        # So that bars have their new heights.
        self.page.wait_for_timeout(800)
        save(self.page, self.folder / f"{name}.png")

    def take_during(self) -> None:
        """Take a screenshot once half of the months are there, and the page itself shows them."""
        if not self.is_taken and self.page.locator("#months tbody tr").count() >= 6:
            self.take("sandbox-during")
            self.is_taken = True


def take_sandbox(browser: Browser, address: str, folder: Path) -> None:
    """Take the screenshots of the page after the backfill: light, dark and on a phone."""
    narrow = {"viewport": {"width": 390, "height": 844}, "is_mobile": True}
    wide = {"viewport": {"width": 1120, "height": 1060}}
    for name, top, options in (
        ("sandbox-page", "body", wide),
        ("sandbox-dark", "body", {**wide, "color_scheme": "dark"}),
        ("sandbox-requests", "#requests", wide),
        ("sandbox-narrow", "#costs", narrow),
    ):
        context = browser.new_context(**options)
        shown = SandboxPage(context.new_page(), folder)
        shown.page.goto(address)
        shown.page.get_by_text("2025-12").first.wait_for()
        shown.take(name, top)
        context.close()


def widen_grid(page: Page) -> None:
    """Drag what is between Airflow's grid and its details, so that the grid has room for a year of runs."""
    for handle in page.locator("[data-resize-handle], [role=separator]").all():
        place = handle.bounding_box()
        if place and place["height"] > 200:
            page.mouse.move(place["x"] + 1, place["y"] + 150)
            page.mouse.down()
            page.mouse.move(620, place["y"] + 150, steps=12)
            page.mouse.up()
            page.wait_for_timeout(1500)


def take(page: Page, address: str, seen: str, path: Path) -> None:
    """Take a screenshot of a page once a text is there."""
    page.goto(address)
    page.get_by_text(seen).first.wait_for()
    page.wait_for_timeout(2500)
    widen_grid(page)
    save(page, path)


def save(page: Page, path: Path) -> None:
    """Save what a page shows."""
    page.screenshot(path=path)
    print(f"{path}: {path.stat().st_size:,} bytes")


def main() -> None:
    """Take all screenshots."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT / "docs" / "images")
    folder = parser.parse_args().folder.resolve()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with (
        tempfile.TemporaryDirectory(prefix="cloudzero-screenshots-") as text,
        started(Path(text)) as (airflow, sandbox),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        shown = SandboxPage(browser.new_page(viewport={"width": 1120, "height": 1060}), folder)
        shown.page.goto(sandbox)
        shown.take("sandbox-before")
        arm_faults(sandbox)
        start_backfill(airflow)

        def is_over() -> bool:
            shown.take_during()
            return is_done(airflow)

        airflow.wait("the backfill", is_over, limit=1200, pause=1)
        take_sandbox(browser, sandbox, folder)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        take(page, f"{airflow.url}/dags/{MONTHLY}/runs", "send_bill", folder / "backfill-in-airflow.png")
        send_older_bill(sandbox)
        window = {"width": WIDTH, "height": 1180}
        page = browser.new_page(viewport=window, color_scheme="light", device_scale_factor=0.85)
        take_approval(page, airflow, folder)
        page = browser.new_page(viewport={"width": 900, "height": 945}, color_scheme="light", device_scale_factor=0.85)
        take_report(page, sandbox, folder)
        browser.close()


if __name__ == "__main__":
    main()
