"""What the sending operators share: one writer on a stream, and records that are resolved but never rendered."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import Asset, BaseHook, BaseOperator

from cloudzero_provider.airflow_support.compat import set_default_of_mapped
from cloudzero_provider.airflow_support.run_claims import RunClaims
from cloudzero_provider.airflow_support.upstream_outputs import UpstreamOutputs, is_output
from cloudzero_provider.exceptions import ConfigurationError, InputError
from cloudzero_provider.hooks.cloudzero import CloudZeroHook
from cloudzero_provider.values.month_hints import collected_hints
from cloudzero_provider.values.parameters import read_bool

if TYPE_CHECKING:
    import jinja2
    from airflow.sdk import Context

    from cloudzero_provider.journal import SumJournal
    from cloudzero_provider.sources import Rows


#: Where rows come from: exactly one of these parameters is given.
SOURCES = ("records", "files", "sql")


class Unrendered:
    """
    A value that Jinja must not walk: rows can be many, and rendered fields are stored for the UI.

    It shows as a count wherever Airflow shows the field.

    :param value: what the user gave: rows, or something that resolves to rows.
    """

    def __init__(self, value: Any) -> None:
        self.value = value

    def __str__(self) -> str:
        if isinstance(self.value, Sequence) and not isinstance(self.value, (str, bytes)):
            return f"{len(self.value):,} rows"
        return f"({type(self.value).__name__}, resolved when the task runs)"

    __repr__ = __str__


class CloudZeroBaseOperator(BaseOperator):
    """
    Base of the operators of this provider.

    :param cloudzero_conn_id: the Airflow connection.
    """

    template_fields: Sequence[str] = ("cloudzero_conn_id",)
    #: Fields that are resolved in ``execute`` instead of being rendered.
    unrendered_fields: Collection[str] = ()

    def __init__(self, *, cloudzero_conn_id: str = CloudZeroHook.default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cloudzero_conn_id = cloudzero_conn_id

    @cached_property
    def cloudzero_hook(self) -> CloudZeroHook:
        """The hook of this task."""
        return CloudZeroHook(self.cloudzero_conn_id)

    def _do_render_template_fields(
        self,
        parent: Any,
        template_fields: Iterable[str],
        context: Context,
        jinja_env: jinja2.Environment,
        seen_oids: set[int],
    ) -> None:
        rendered = [name for name in template_fields if parent is not self or name not in self.unrendered_fields]
        super()._do_render_template_fields(parent, rendered, context, jinja_env, seen_oids)
        if parent is self:
            for name in self.unrendered_fields:
                value = getattr(self, name)
                if value is not None and not isinstance(value, Unrendered):
                    setattr(self, name, Unrendered(value))

    def resolve_unrendered(self, name: str, context: Context) -> Any:
        """
        Resolve a field that was not rendered: XComs become what upstream tasks returned, a template its text.

        :param name: of the field.
        :param context: of the task.
        :raises InputError: when an upstream task failed, returned nothing, or was skipped and is the only one.
        """
        value = getattr(self, name)
        value = value.value if isinstance(value, Unrendered) else value
        outputs = UpstreamOutputs(name, context)
        if is_output(value):
            return outputs.one(value)
        if type(value) in (list, tuple):
            return outputs.several(value, lambda item: self._resolve(item, context))
        return self._resolve(value, context)

    def _resolve(self, value: Any, context: Context) -> Any:
        if isinstance(value, str):
            return self.render_template(value, context)
        if _is_resolvable(value):
            return value.resolve(context)
        if type(value) in (list, tuple):
            return [self._resolve(item, context) if _may_hold_xcom(item) else item for item in value]
        if type(value) is dict:
            return {key: self._resolve(item, context) if _may_hold_xcom(item) else item for key, item in value.items()}
        return value


class CloudZeroSendOperator(CloudZeroBaseOperator):
    """
    Base of the operators that send: one at a time by default, on a stream.

    :param max_active_tis_per_dag: how many instances of this task may run at a time, over all runs of the DAG.
        CloudZero does not support concurrent requests for one stream, so 1 is the default, also for a mapped task; your
        own value and ``default_args`` win. Several tasks or DAGs on one stream: put them into a pool with one slot.
    :param replace_in_same_run: whether this task may replace what another task of the same DAG run sent, like a final
        bill an estimate. (templated)
    :param allow_equal_files: whether two of ``files`` may hold the same rows. (templated)
    """

    records: Any
    files: Any
    sql: str | None
    sql_conn_id: str | None
    transform: Any

    template_ext: Sequence[str] = (".sql",)
    template_fields_renderers: ClassVar[dict[str, str]] = {"sql": "sql"}

    def __init__(
        self,
        *,
        max_active_tis_per_dag: int | None = 1,
        replace_in_same_run: bool | str = False,
        allow_equal_files: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(max_active_tis_per_dag=max_active_tis_per_dag, **kwargs)
        self.replace_in_same_run = replace_in_same_run
        self.allow_equal_files = allow_equal_files

    def given_rows(
        self, context: Context, *, allow_equal_files: bool, as_one_kind: Callable[[Rows], Rows] | None = None
    ) -> Rows:
        """
        Take what the user gave: ``records``, ``files`` or ``sql``, and what ``transform`` makes of it.

        :param context: of the task.
        :param allow_equal_files: whether two of ``files`` may hold the same rows.
        :param as_one_kind: applied to the rows of each file, so that files of several kinds can be strung together.
        :raises ConfigurationError, InputError: when none of them, or more than one, has a value.
        """
        from cloudzero_provider.sources import joined
        from cloudzero_provider.transforms import transformed

        with collected_hints() as hints:
            parts = list(self._parts(context, allow_equal_files=allow_equal_files))
            if self.transform is not None:
                parts = [transformed(joined(parts), self.transform)]
        rows = joined([as_one_kind(part) for part in parts] if as_one_kind else parts)
        return replace(rows, month_hint="; ".join(hints))

    def _parts(self, context: Context, *, allow_equal_files: bool) -> Iterator[Rows]:
        from cloudzero_provider.sources import from_records, read_files

        self._check_sources()
        if self.files is not None:
            from cloudzero_provider.airflow_support.object_storage import ObjectStorage

            yield from read_files(self.files, ObjectStorage(), allow_equal_files=allow_equal_files)
        elif self.records is not None:
            yield from_records(self.resolve_unrendered("records", context))
        else:
            yield self._queried()

    def _check_sources(self) -> None:
        given = [name for name in SOURCES if getattr(self, name) is not None]
        if len(given) > 1:
            raise ConfigurationError(f"{' and '.join(given)} are given: expected exactly one of {_listed(SOURCES)}.")
        if not given:
            raise InputError(
                f"None of {_listed(SOURCES)} has a value: give exactly one of them. If an upstream task makes it, that "
                "task returned None; return an empty list when there are no rows."
            )
        if (self.sql is None) != (self.sql_conn_id is None):
            raise ConfigurationError("sql and sql_conn_id go together: the query, and the connection to run it on.")

    def _queried(self) -> Rows:
        """Run the query. The database's own errors reach Airflow as they are, so that ``retries`` heal an outage."""
        from airflow.providers.common.sql.hooks.sql import DbApiHook

        from cloudzero_provider.sources import from_cursor

        if not str(self.sql).strip():
            raise InputError("sql is an empty text: there is no query to run.")
        hook = BaseHook.get_hook(str(self.sql_conn_id))
        if not isinstance(hook, DbApiHook):
            raise ConfigurationError(
                f"sql_conn_id is {self.sql_conn_id!r}, a connection of {type(hook).__name__}: that runs no SQL."
            )
        found: list[Rows | None] = []

        def read(cursor: Any) -> list[Any]:
            found[:] = [from_cursor(cursor)]
            # Some hooks (Databricks, ODBC) take what comes back apart, and know but their own driver's rows.
            return []

        hook.run(str(self.sql), handler=read)
        rows = found[0]
        if rows is None:
            raise InputError("sql: the statement is no query: it returned no table.")
        self.log.info("The query returned %s rows", f"{rows.count:,}")
        return rows

    def claims(self, context: Context) -> RunClaims:
        """
        Make it known to the other tasks of the run what this one writes.

        :param context: of the task.
        :raises ConfigurationError: when ``replace_in_same_run`` is neither true nor false.
        """
        may_replace = read_bool("replace_in_same_run", self.replace_in_same_run, templated=True)
        return RunClaims(context, sender=CloudZeroSendOperator, is_retry=is_retry(context), may_replace=may_replace)

    def describe_outlets(self, context: Context, summary: Mapping[str, Any], *shown: str) -> None:
        """
        Say what was sent in the events of the assets that the user listed as ``outlets``.

        :param context: of the task.
        :param summary: of what was sent.
        :param shown: which of its keys go along, beside operation, sha256 and check_only.
        """
        extra = {key: summary[key] for key in (*shown, "operation", "sha256", "check_only")}
        for outlet in self.outlets:
            if isinstance(outlet, Asset):
                context["outlet_events"][outlet].extra.update(extra)

    @classmethod
    def partial(cls, **kwargs: Any) -> Any:
        """Make a mapped task, one instance at a time by default: ``expand`` never runs ``__init__``."""
        partial = super().partial(**kwargs)
        set_default_of_mapped(partial, kwargs, "max_active_tis_per_dag", 1)
        return partial


def settle_from(context: Mapping[str, Any]) -> float | None:
    """Say since when an earlier try of this task may have a request under way; ``None`` on the first try."""
    return time.monotonic() if context["ti"].try_number > 1 else None


def sum_journal(context: Mapping[str, Any], target: str) -> SumJournal:
    """
    Open the journal of a task that adds.

    :param context: of the task.
    :param target: what it adds to.
    :raises AmbiguousWriteError: for a retry where Airflow keeps no state over retries (before 3.3).
    """
    from cloudzero_provider.journal import SumJournal

    return SumJournal(
        context.get("task_state_store"), target, is_retry=is_retry(context), max_tries=context["ti"].max_tries
    )


def is_retry(context: Mapping[str, Any]) -> bool:
    """
    Tell a retry from a first try and from a task that was cleared, which means "send it again".

    Airflow sets ``max_tries`` when a task is cleared. Where neither fits, the DAG's ``retries`` were changed in
    between: that counts as a retry, to be on the safe side.
    """
    ti, task = context["ti"], context["task"]
    return ti.try_number not in (1, ti.max_tries - (task.retries or 0) + 1)


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _may_hold_xcom(value: Any) -> bool:
    return type(value) in (list, tuple, dict) or _is_resolvable(value)


def _is_resolvable(value: Any) -> bool:
    """Whether it stands for what an upstream task returned. A path can be resolved, too, but to something else."""
    return callable(getattr(value, "resolve", None)) and not isinstance(value, os.PathLike)
