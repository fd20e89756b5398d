"""A chart is drawn without floats in its texts, fits any width, and says what each part stands for."""

from __future__ import annotations

import re
from decimal import Decimal
from xml.etree import ElementTree

from cloudzero_provider.sandbox.page.breakdown import break_down
from cloudzero_provider.sandbox.page.chart import Look, day_label, draw_stacked, month_label
from cloudzero_provider.sandbox.page.tables import breakdown_table, legend

DAYS = [f"2024-09-{day:02}" for day in range(1, 31)]
LOOK = Look("cost", "Cost by day", 234, day_label)


def drawn(amounts, periods=DAYS, look=LOOK):
    decimals = {key: Decimal(amount) for key, amount in amounts.items()}
    breakdown = break_down(decimals, periods, blank="none", unit="services")
    return breakdown, ElementTree.fromstring(draw_stacked(breakdown, look))


def bars(tree):
    return [
        (bar.get("class"), float(bar.get("y")), float(bar.get("height")), bar.find("title").text)
        for bar in tree.iter("rect")
    ]


def test_bars_are_stacked_above_zero_and_credits_below():
    _, tree = drawn({(DAYS[0], "a"): "60", (DAYS[0], "b"): "40", (DAYS[0], "c"): "-50", (DAYS[1], "a"): "100"})
    # 200 pixels for -50 to 100.
    assert bars(tree) == [
        ("s1", 61.3, 80.0, "2024-09-01: 60, a"),
        ("s2", 141.3, 66.7, "2024-09-01: -50, c"),
        ("s3", 8.0, 53.3, "2024-09-01: 40, b"),
        ("s1", 8.0, 133.3, "2024-09-02: 100, a"),
    ]
    [plot] = [svg for svg in tree.iter("svg") if svg.get("role") == "img"]
    assert plot.get("aria-label") == "Cost by day"
    [zero] = [line.get("y1") for line in tree.iter("line") if line.get("class") == "zero"]
    assert zero == "141.3"


def test_widths_are_in_percent_and_within_the_plot():
    _, tree = drawn({(day, "a"): "1" for day in DAYS})
    places = [(bar.get("x"), bar.get("width")) for bar in tree.iter("rect")]
    assert len(places) == len({bar.get("id") for bar in tree.iter("rect")}) == 30
    for x, width in places:
        assert re.fullmatch(r"[\d.]+%", x)
        assert float(x[:-1]) + float(width[:-1]) <= 100


def test_the_axis_has_figures_and_days():
    _, tree = drawn({(DAYS[0], "a"): "973.25"})
    texts = [text.text for text in tree.iter("text")]
    assert texts[:5] == ["0", "250", "500", "750", "1,000"]
    assert texts[5:] == [str(day) for day in range(1, 31)]
    on_a_phone = [text.text for text in tree.iter("text") if text.get("class") != "wide"]
    assert on_a_phone[5:] == ["1", "5", "9", "13", "17", "21", "25", "29"]


def test_months_of_a_year():
    months = [f"2024-{month:02}" for month in range(1, 13)]
    _, tree = drawn({("2024-02", "a"): "1"}, months, Look("value", "Value by month", 200, month_label))
    assert [text.text for text in tree.iter("text")][-12:][:3] == ["Jan", "Feb", "Mar"]


def test_the_texts_are_escaped_and_exact():
    name = "<b>&\"'"
    breakdown, tree = drawn({(DAYS[0], name): "1234567890123456789.000000000000000001"})
    assert bars(tree)[0][3] == f"2024-09-01: 1,234,567,890,123,456,789.000000000000000001, {name}"
    for text in (legend(breakdown, "Services"), breakdown_table(breakdown, name, "Day")):
        assert "1,234,567,890,123,456,789.000000000000000001" in text
        assert "&lt;b&gt;&amp;&quot;&#x27;" in text
        assert "<b>" not in text


def test_colors_are_those_of_the_legend_and_the_rest_is_gray():
    breakdown, tree = drawn({(DAYS[0], f"s{number}"): str(100 - number) for number in range(9)})
    colors = ["s1", "s2", "s3", "s4", "s5", "s6", "rest"]
    assert [bar[0] for bar in bars(tree)] == colors
    assert re.findall(r'<rect class="(\w+)"', legend(breakdown, "Services")) == colors


def test_the_table_has_headings_for_rows_and_columns():
    breakdown, _ = drawn({(DAYS[0], "a"): "1.50", (DAYS[1], "b"): "2"}, DAYS[:2])
    table = ElementTree.fromstring(breakdown_table(breakdown, "Cost", "Day")).find("table")
    assert table.find("caption").text == "Cost"
    assert [(head.text, head.get("scope")) for head in table.find("thead").iter("th")] == [
        ("Day", "col"), ("b", "col"), ("a", "col"), ("Total", "col")
    ]  # fmt: skip
    rows = [*table.find("tbody"), *table.find("tfoot")]
    assert [[cell.text or "" for cell in row] for row in rows] == [
        ["2024-09-01", "", "1.50", "1.50"], ["2024-09-02", "2", "", "2"], ["Total", "2", "1.50", "3.50"]
    ]  # fmt: skip
    assert {row[0].get("scope") for row in rows} == {"row"}
