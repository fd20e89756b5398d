"""Airflow's pages in a browser: adding, testing and editing connections, and triggering DAGs."""

from __future__ import annotations

import contextlib
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page, Request, TimeoutError as NothingHappened, expect

SECONDS = 1000
# A complete Airflow on a small machine is slow.
expect.set_options(timeout=30 * SECONDS)


@dataclass(frozen=True)
class Pages:
    """A browser page with the UI of one Airflow."""

    page: Page
    url: str

    def open(self, path: str) -> None:
        self.page.goto(f"{self.url}/{path}")

    @contextlib.contextmanager
    def adding(self, connection_id: str) -> Iterator[Form]:
        """Open the form for a new connection; it is saved on exit."""
        self.page.get_by_role("button", name="Admin").click()
        self.page.get_by_role("menuitem", name="Connections").click()
        self.page.get_by_role("button", name="Add Connection").click()
        form = Form(self.page.get_by_role("dialog"))
        form.field("Connection ID").fill(connection_id)
        form.dialog.get_by_role("combobox").click()
        self.page.keyboard.type("CloudZ")
        self.page.get_by_role("option", name="CloudZero", exact=True).click()
        yield form
        form.save()

    @contextlib.contextmanager
    def editing(self, connection_id: str) -> Iterator[Form]:
        """Open the form of an existing connection after a reload; it is saved on exit."""
        self.open("connections")
        self._row(connection_id).get_by_role("button", name="Edit Connection").click()
        form = Form(self.page.get_by_role("dialog"))
        expect(form.field("Connection ID")).to_have_value(connection_id)
        yield form
        form.save()

    def test(self, connection_id: str) -> str:
        """Click Test Connection; return the title and the text of the notification."""
        self.open("connections")
        self._row(connection_id).get_by_role("button", name="Test Connection").click()
        said = self.page.get_by_role("status").filter(has_text="Test Connection")
        expect(said).to_be_visible()
        return said.inner_text()

    def trigger(self, dag_id: str) -> None:
        self.open(f"dags/{dag_id}")
        self.page.get_by_role("button", name="Trigger").first.click()
        dialog = self.page.get_by_role("dialog")
        self._click_until_requested(dialog.get_by_role("button", name="Trigger"), "/dagRuns")
        expect(dialog).to_be_hidden()

    def _click_until_requested(self, button: Locator, address: str) -> None:
        """Click until the request is sent: a click while the page renders may be lost."""
        for _ in range(5):
            try:
                with self.page.expect_request(lambda sent: _is_post_to(address, sent), timeout=3 * SECONDS):
                    button.click()
                return
            except NothingHappened:
                print("a click was lost")
        raise AssertionError(f"nothing was posted to {address}")

    def details(self, dag_id: str, run_id: str, task_id: str) -> None:
        """Open the details of a task instance from its logs."""
        self.open(f"dags/{dag_id}/runs/{run_id}/tasks/{task_id}")
        self.page.get_by_role("link", name="Details").click()

    def _row(self, connection_id: str) -> Locator:
        cell = self.page.get_by_role("cell", name=connection_id, exact=True)
        return self.page.get_by_role("row").filter(has=cell)


@dataclass(frozen=True)
class Form:
    """The form of one connection. Only one section is open at a time."""

    dialog: Locator

    def section(self, title: str) -> Locator:
        """Open a section and return it."""
        button = self.dialog.get_by_role("button", name=title, exact=True)
        if button.get_attribute("aria-expanded") != "true":
            button.click()
        region = self.dialog.page.locator(f'[id="{button.get_attribute("aria-controls")}"]')
        expect(region).to_be_visible()
        _wait_for_animations(region)
        return region

    def rows(self, section: Locator) -> dict[str, Locator]:
        """The rows of a section by their labels."""
        return {label.inner_text(): label.locator("xpath=ancestor::*[@role='group'][1]") for label in labels(section)}

    def field(self, label: str) -> Locator:
        """The input with a label, in the open section."""
        label_element = self.dialog.locator("label").filter(has_text=re.compile(rf"^{re.escape(label)}\s*\*?$"))
        return label_element.locator("xpath=ancestor::*[@role='group'][1]").locator("input, textarea").first

    def switch(self, label: str) -> Locator:
        """The visible part of a switch: its checkbox is hidden."""
        return self.rows(self.dialog)[label].locator("[data-scope='switch'][data-part='control']")

    def fill(self, standard: dict[str, object], extra: dict[str, object]) -> None:
        for title, fields in (("Standard Fields", standard), ("Extra Fields", extra)):
            self.section(title)
            for label, value in fields.items():
                if isinstance(value, bool):
                    if self.field(label).is_checked() != value:
                        self.switch(label).click()
                    expect(self.field(label)).to_be_checked(checked=value)
                else:
                    self.field(label).fill(str(value))
                    self.field(label).press("Tab")

    def save(self) -> None:
        self.dialog.get_by_role("button", name="Save").click()
        expect(self.dialog).to_be_hidden()


def labels(section: Locator) -> list[Locator]:
    return [label for label in section.locator("label[data-part='label']").all() if label.is_visible()]


def _wait_for_animations(element: Locator) -> None:
    """Wait until a section has slid open."""
    element.evaluate("e => Promise.all(e.getAnimations({subtree: true}).map(a => a.finished.catch(() => {})))")


def distinct_lines(png: bytes) -> int:
    """Count the different rows of pixels in a PNG: a blank picture has very few."""
    width, chunks, at = int.from_bytes(png[16:20], "big"), b"", 8
    channels = {2: 3, 6: 4}[png[25]]
    while at < len(png):
        length = int.from_bytes(png[at : at + 4], "big")
        if png[at + 4 : at + 8] == b"IDAT":
            chunks += png[at + 8 : at + 8 + length]
        at += 12 + length
    pixels, stride = zlib.decompress(chunks), 1 + width * channels
    return len({pixels[start : start + stride] for start in range(0, len(pixels), stride)})


def replies_in(recording: Path) -> list[tuple[str, str]]:
    """URL and body of every reply the browser received, from its HAR recording."""
    entries = json.loads(recording.read_text())["log"]["entries"]
    return [(entry["request"]["url"], entry["response"]["content"].get("text", "")) for entry in entries]


def _is_post_to(address: str, sent: Request) -> bool:
    return sent.method == "POST" and sent.url.endswith(address)
