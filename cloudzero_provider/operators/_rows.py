"""Base of the operators that take rows: where rows come from, and what to do without rows."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Protocol

from airflow.providers.common.compat.sdk import AirflowException, AirflowSkipException, Asset

from cloudzero_provider.airflow_support.compat import name_instance
from cloudzero_provider.airflow_support.errors import airflow_failures
from cloudzero_provider.airflow_support.local_files import local_files_explained
from cloudzero_provider.airflow_support.skips import skips_logged
from cloudzero_provider.exceptions import ConfigurationError, InputError, TransformError
from cloudzero_provider.links import show_links
from cloudzero_provider.operators._base import ResolvingOperator
from cloudzero_provider.values.counted import counted
from cloudzero_provider.values.parameters import Choice, read_bool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from airflow.sdk import Context

    from cloudzero_provider.sources import Rows

#: Parameters that say where rows come from. Exactly one of them has a value.
SOURCES = ("records", "files", "sql")


class OnEmpty(Choice):
    """What to do when there are no rows."""

    SKIP = "skip"
    FAIL = "fail"
    CLEAR = "clear"


class Summary(Protocol):
    """What an operator did, in a sentence and as a dict."""

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""


class CloudZeroRowsOperator(ResolvingOperator):
    """
    Base of the operators that take rows.

    :param records: a list of dicts, a data frame, or the output of an upstream task. Resolved when the task runs, never
        rendered by Jinja.
    :param files: a path, a URI, a pattern, or a list of those. (templated)
    :param sql: a query, or the path of a ``.sql`` file. (templated)
    :param sql_conn_id: the Airflow connection that the query runs on. (templated)
    :param transform: a function from a polars frame to a polars frame, or a list of them, applied before the checks.
    :param allow_equal_files: whether two of ``files`` may hold the same rows. (templated)
    :param on_empty: what to do without rows: ``skip`` the task, ``fail`` it, or another of the operator's
        choices. (templated)
    :param problems_file: a path or a URI to list every problem of the rows in, when they break rules. (templated)
    """

    template_fields: Sequence[str] = (
        "records",
        "files",
        "allow_equal_files",
        "sql",
        "sql_conn_id",
        "on_empty",
        "problems_file",
    )
    template_ext: Sequence[str] = (".sql",)
    template_fields_renderers: ClassVar[dict[str, str]] = {"sql": "sql"}
    unrendered_fields: Sequence[str] = ("records",)
    #: The choices of ``on_empty``.
    on_empty_choices: ClassVar[Sequence[OnEmpty]] = (OnEmpty.SKIP, OnEmpty.FAIL)
    #: Keys of the summary that the events of ``outlets`` show.
    outlet_keys: ClassVar[Sequence[str]] = ()

    def __init__(
        self,
        *,
        records: Any = None,
        files: Any = None,
        sql: str | None = None,
        sql_conn_id: str | None = None,
        transform: Any = None,
        allow_equal_files: bool | str = False,
        on_empty: str = "skip",
        problems_file: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.records = records
        self.files = files
        self.sql = sql
        self.sql_conn_id = sql_conn_id
        self.transform = transform
        self.allow_equal_files = allow_equal_files
        self.on_empty = on_empty
        self.problems_file = problems_file

    def execute(self, context: Context) -> dict[str, Any]:
        """Do what the operator does with the rows; return a summary."""
        show_links(self, context)
        with skips_logged(), airflow_failures(), local_files_explained(self), self.listing_problems():
            done = self.process(context)
        name_instance(context, str(done))
        self.log.info("Done: %s", done)
        summary = done.as_dict()
        self._describe_outlets(context, summary)
        return summary

    def process(self, context: Context) -> Summary:
        """
        Read and check the rows, and do with them what the operator does. Implemented by subclasses.

        :param context: the task's context.
        """
        raise NotImplementedError

    def listing_problems(self) -> AbstractContextManager[None]:
        """
        List every problem in ``problems_file`` when rows break rules inside the block.

        :raises ConfigurationError: when ``problems_file`` can't be used.
        """
        if self.problems_file is None:
            return nullcontext()
        from cloudzero_provider.airflow_support.object_storage import ObjectStorage
        from cloudzero_provider.values.listed_problems import listing_problems

        return listing_problems(self.problems_file, ObjectStorage())

    def read_on_empty(self) -> OnEmpty:
        """
        Read ``on_empty``.

        :raises ConfigurationError: when it is not one of the operator's choices.
        """
        return OnEmpty.parse(self.on_empty, "on_empty", among=self.on_empty_choices)

    def read_allow_equal_files(self) -> bool:
        """
        Read ``allow_equal_files``.

        :raises ConfigurationError: when it is neither true nor false.
        """
        return read_bool("allow_equal_files", self.allow_equal_files, templated=True)

    def refuse_empty(self, on_empty: OnEmpty, missing: str) -> None:
        """
        Skip or fail a task that has no rows to send, unless ``on_empty`` is ``clear``.

        :param on_empty: what to do.
        :param missing: what was expected, like ``rows for 2026-03``.
        :raises AirflowSkipException, InputError: as ``on_empty`` says.
        """
        if on_empty is not OnEmpty.CLEAR:
            self.skip_or_fail(on_empty, missing)

    def skip_or_fail(self, on_empty: OnEmpty, missing: str) -> NoReturn:
        """
        Skip or fail a task that has no rows to send.

        :param on_empty: what to do.
        :param missing: what was expected, like ``records for orders``.
        :raises AirflowSkipException, InputError: as ``on_empty`` says.
        """
        message = f"No {missing} (on_empty={on_empty.value!r}). Nothing was sent."
        if on_empty is OnEmpty.SKIP:
            raise AirflowSkipException(message)
        raise InputError(message)

    def read_rows(
        self, context: Context, *, allow_equal_files: bool, join: Callable[[list[Rows]], Rows] | None = None
    ) -> Rows:
        """
        Read ``records``, ``files`` or ``sql``, and apply ``transform``.

        :param context: the task's context.
        :param allow_equal_files: whether two of ``files`` may hold the same rows.
        :param join: concatenates the rows of files in different formats; by default, column by column.
        :raises ConfigurationError, InputError: when none of them, or more than one, has a value.
        """
        from cloudzero_provider.sources import gathered

        parts = self._read_parts(context, allow_equal_files=allow_equal_files)
        with airflow_errors_of_transforms():
            return gathered(parts, self.transform, join=join)

    def _read_parts(self, context: Context, *, allow_equal_files: bool) -> Iterator[Rows]:
        from cloudzero_provider.sources import from_records, read_files

        self.check_sources()
        if self.files is not None:
            from cloudzero_provider.airflow_support.object_storage import ObjectStorage

            yield from read_files(self.files, ObjectStorage(), allow_equal_files=allow_equal_files)
        elif self.records is not None:
            yield from_records(self.resolve_unrendered("records", context))
        else:
            yield self._run_query()

    def check_sources(self) -> None:
        """
        Check that exactly one of the parameters that say where rows come from has a value.

        :raises ConfigurationError, InputError: when none has, or more than one.
        """
        given = [name for name in SOURCES if getattr(self, name) is not None]
        names = f"{', '.join(SOURCES[:-1])} and {SOURCES[-1]}"
        if len(given) > 1:
            raise ConfigurationError(f"{' and '.join(given)} are set: set exactly one of {names}.")
        if not given:
            raise InputError(
                f"None of {names} has a value: set exactly one of them. If it comes from an upstream task, that task "
                "returned None; return an empty list when there are no rows."
            )
        if (self.sql is None) != (self.sql_conn_id is None):
            raise ConfigurationError("sql and sql_conn_id go together: the query, and the connection to run it on.")

    def _run_query(self) -> Rows:
        # The database's own errors reach Airflow unchanged, so that retries help in an outage.
        from cloudzero_provider.airflow_support.sql_hook import sql_hook
        from cloudzero_provider.sources import from_cursor

        if not str(self.sql).strip():
            raise InputError("sql is empty: there is no query to run.")
        hook = sql_hook(str(self.sql_conn_id))
        found: list[Rows | None] = []

        def read(cursor: Any) -> list[Any]:
            found[:] = [from_cursor(cursor)]
            # Some hooks (Databricks, ODBC) convert what a handler returns, but only know their own driver's rows.
            return []

        hook.run(str(self.sql), handler=read)
        rows = found[0]
        if rows is None:
            raise InputError("sql is not a query: the statement returned no table.")
        self.log.info("The query returned %s", counted(rows.count, "row"))
        return rows

    def _describe_outlets(self, context: Context, summary: Mapping[str, Any]) -> None:
        extra = {key: summary[key] for key in self.outlet_keys}
        for outlet in self.outlets:
            if isinstance(outlet, Asset):
                context["outlet_events"][outlet].extra.update(extra)


@contextmanager
def airflow_errors_of_transforms() -> Iterator[None]:
    """Let Airflow's own errors, such as a skip, that a user's transform raises in the block reach Airflow unchanged."""
    try:
        yield
    except TransformError as error:
        if isinstance(error.__cause__, AirflowException):
            raise error.__cause__ from None
        raise
