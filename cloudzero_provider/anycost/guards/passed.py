"""Remember between the attempts of a task that its guards were passed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloudzero_provider.journal import Store

_KEY = "cloudzero_guards"


class PassedGuards:
    """
    The guards that an attempt passed before it wrote, so that a retry is not refused for what that attempt has written.

    :param store: Airflow's task state store (3.3 and later); ``None`` where there is none, so nothing is remembered.
    """

    def __init__(self, store: Store | None = None) -> None:
        self._store = store

    def by_earlier_attempt(self, rows: str) -> bool | None:
        """
        Return whether an earlier attempt passed the guards with the same rows; ``None`` when that is not known.

        :param rows: identifies what is sent, and where.
        """
        return None if self._store is None else self._store.get(_KEY) == {"rows": rows}

    def record(self, rows: str) -> None:
        """
        Record that the guards were passed, before the first write.

        :param rows: identifies what is sent, and where.
        """
        if self._store is not None:
            self._store.set(_KEY, {"rows": rows})

    def forget(self) -> None:
        """Forget it once everything was sent: a task that is cleared then is a new beginning."""
        if self._store is not None:
            self._store.set(_KEY, {})
