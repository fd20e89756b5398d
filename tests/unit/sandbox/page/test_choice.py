from __future__ import annotations

from cloudzero_provider.sandbox.page.choice import Choice, Option, choice_list


def test_a_link_keeps_the_other_choices():
    choice = Choice.from_query({"stream": "a&b", "requests": "telemetry/orders", "unknown": "x"})
    assert choice.link(month="2024-09") == "?stream=a%26b&amp;month=2024-09&amp;requests=telemetry%2Forders"


def test_whose_requests():
    assert Choice(requests="telemetry/billing/x").requests_of("telemetry/") == "billing/x"
    assert Choice(requests="telemetry/billing/x").requests_of("billing/") is None
    assert Choice().requests_of("billing/") is None


def test_a_list_is_escaped_grouped_and_labelled():
    options = [Option("", "All"), Option('"><script>', "<b>", "Streams"), Option("y", "Y", "Streams")]
    shown = choice_list("requests", "Requests of", options, "y")
    assert (
        '<label for="choose-requests">Requests of</label> <select name="requests" form="view" id="choose-req' in shown
    )
    assert '<option value="">All</option><optgroup label="Streams">' in shown
    assert '<option value="&quot;&gt;&lt;script&gt;">&lt;b&gt;</option><option value="y" selected>Y</option>' in shown
