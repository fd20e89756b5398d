"""
Take the screenshots of the documentation: a backfill of a year in a real Airflow, and the sandbox that it is sent to.

``make screenshots`` writes them to docs/images. It needs Chromium, as the tests of ``tests/e2e`` do.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import requests
from demo import DAGS, ROOT, TELEMETRY
from demo_airflow import Airflow, airflow_settings, clean_environment, free_port
from demo_processes import Processes, StopSignals, adopt_orphans
from playwright.sync_api import Browser, Page, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

MONTHLY = "anycost_monthly_partitioned"
MONTHS = ("2025-01-01", "2025-12-31")
STREAM = "acme-cloud"
KEY = "screenshots"
WIDTH, HEIGHT = 1360, 720
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
        airflow.wait("Airflow", lambda: airflow.is_up([MONTHLY, TELEMETRY]), limit=240)
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
        browser.close()


if __name__ == "__main__":
    main()
