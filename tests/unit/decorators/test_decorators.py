"""Flavours of ``@task``: what is refused when Airflow parses the DAG, and what the task is then like."""

from __future__ import annotations

from functools import partial, wraps

import pytest
from airflow.providers.common.compat.sdk import DAG, AirflowException, task

from cloudzero_provider.exceptions import ConfigurationError
from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator
from cloudzero_provider.operators.telemetry import TelemetrySendOperator

STREAM = {"stream_name": "orders", "stream_type": "metric"}
FLAVOURS = [
    pytest.param(task.cloudzero_billing_drop, {}, AnyCostBillingDropOperator, id="billing drop"),
    pytest.param(task.cloudzero_telemetry, STREAM, TelemetrySendOperator, id="telemetry"),
]


def rows():
    return []


@pytest.fixture(autouse=True)
def _dag():
    with DAG("decorated", schedule=None):
        yield


@pytest.mark.parametrize(("flavour", "needed", "operator"), FLAVOURS)
class TestFlavours:
    def test_makes_the_operator(self, flavour, needed, operator):
        made = flavour(**needed, month="2026-03", on_empty="fail")(rows)().operator
        assert isinstance(made, operator)
        assert (made.task_id, made.month, made.on_empty) == ("rows", "2026-03", "fail")
        assert made.operator_extra_links == operator.operator_extra_links
        assert made.ui_color == operator.ui_color

    def test_what_is_templated_and_shown(self, flavour, needed, operator):
        made = flavour(**needed)(rows)().operator
        assert set(made.template_fields) == {"op_args", "op_kwargs", *operator.template_fields} - {
            *("records", "files", "sql", "sql_conn_id")
        }
        assert made.template_fields_renderers == {"op_args": "py", "op_kwargs": "py"}
        assert made.template_ext == ()

    @pytest.mark.parametrize("source", ["records", "files", "sql", "sql_conn_id", "allow_equal_files"])
    def test_where_rows_are_is_refused(self, flavour, needed, operator, source):
        message = rf"@task\.cloudzero_\w+ .* does not accept {source}: .*{operator.__name__}\({source}=\.\.\.\)"
        with pytest.raises(ConfigurationError, match=message):
            flavour(**needed, **{source: []})(rows)
        with pytest.raises(ConfigurationError, match=message):
            flavour(**needed)(rows).override(**{source: "there"})

    def test_none_does_not_count_as_a_source(self, flavour, needed, operator):
        made = flavour(**needed, records=None, files=None)(rows)().operator
        assert (made.records, made.files) == (None, None)

    def test_sources_in_default_args_are_for_other_tasks(self, flavour, needed, operator):
        defaults = {"files": "a.csv", "records": [1], "month": "2026-03"}
        with DAG("of_files", schedule=None, default_args=defaults):
            made = flavour(**needed)(rows)().operator
        assert (made.records, made.files, made.month) == (None, None, "2026-03")

    def test_an_async_function_is_refused(self, flavour, needed, operator):
        async def fetch():
            return []

        async def pages():
            yield []

        for function in (fetch, pages):
            with pytest.raises(ConfigurationError, match=rf"async function \({function.__name__}\).*asyncio\.run"):
                flavour(**needed)(function)

    def test_a_plain_function_around_an_async_one_is_not(self, flavour, needed, operator):
        async def fetch():
            return []

        @wraps(fetch)
        def run():
            return []

        assert flavour(**needed)(run)().operator.python_callable is run

    def test_the_summary_is_never_split(self, flavour, needed, operator):
        def dicts() -> dict[str, str]:
            return {}

        made = flavour(**needed, multiple_outputs=False)(dicts)
        assert made().operator.multiple_outputs is False
        assert made.partial().expand_kwargs([{}]).operator.multiple_outputs is False
        with pytest.raises(ConfigurationError, match="one summary, which multiple_outputs can't split"):
            flavour(**needed, multiple_outputs=True)(rows)
        with pytest.raises(ConfigurationError, match="one summary, which multiple_outputs can't split"):
            made.override(multiple_outputs=True)

    def test_one_decorator_for_two_functions(self, flavour, needed, operator):
        def more_rows():
            return []

        decorator = flavour(**needed, retries=7)
        made = [decorator(function)().operator for function in (rows, more_rows)]
        assert [(task.task_id, task.retries) for task in made] == [("rows", 7), ("more_rows", 7)]

    def test_what_no_operator_knows_is_airflow_s_own_error(self, flavour, needed, operator):
        with pytest.raises((TypeError, AirflowException), match="moth"):
            flavour(**needed, moth="2026-03")(rows)()

    def test_a_task_of_one_name_gets_a_number(self, flavour, needed, operator):
        decorated = flavour(**needed)(rows)
        assert [decorated().operator.task_id for _ in range(2)] == ["rows", "rows__1"]

    def test_the_function_remains_accessible(self, flavour, needed, operator):
        assert flavour(**needed)(rows).__wrapped__ is rows


def test_bare():
    assert task.cloudzero_billing_drop(rows)().operator.task_id == "rows"


def test_telemetry_needs_its_stream():
    with pytest.raises((TypeError, AirflowException), match="stream_name"):
        task.cloudzero_telemetry(stream_type="metric")(rows)()


def test_arguments_that_do_not_fit_the_function():
    decorated = task.cloudzero_billing_drop(rows)
    for call in (partial(decorated, 1), partial(decorated.partial, month="2026-03"), partial(decorated.expand, of=[1])):
        with pytest.raises(TypeError, match="argument"):
            call()
