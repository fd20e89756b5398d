"""Which tasks can write one stream at the same time. Knows no Airflow: it compares what was found in DAGs."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import Enum
from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

DEFAULT_POOL = "default_pool"


class StreamKind(Enum):
    """The kinds of streams. One task writes one kind."""

    ANYCOST = "AnyCost stream"
    TELEMETRY = "telemetry stream"


@dataclass(frozen=True)
class Stream:
    """
    A stream that a task writes.

    :param kind: of the stream.
    :param name: its id, or type and name; or what is known of it.
    :param conn_id: the Airflow connection.
    :param base_url: of CloudZero; ``None`` when the connection can't be looked up.
    :param pool_stream: what its pool is named after, if that is known.
    """

    kind: StreamKind
    name: str
    conn_id: str
    base_url: str | None
    pool_stream: str | None


@dataclass(frozen=True, eq=False)
class Writer:
    """
    A task that writes streams. Compared by identity, since it may have thousands.

    :param file: of the DAG.
    :param dag_id: of the DAG.
    :param task_id: of the task.
    :param pool: that the task is in.
    :param pool_slots: how many slots of it an instance takes.
    :param one_at_a_time: whether one instance of it runs at a time, over all runs of the DAG.
    :param kind: of the streams.
    :param streams: those that are known.
    :param unknown: for each stream that only a run can know: why.
    """

    file: str
    dag_id: str
    task_id: str
    pool: str
    pool_slots: int
    one_at_a_time: bool
    kind: StreamKind
    streams: tuple[Stream, ...] = ()
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """
    Tasks that can, or may, write a stream at the same time.

    :param stream: the stream; ``None`` when it is not known.
    :param writers: the tasks.
    :param why: what lets them.
    :param fix: what to do.
    """

    stream: Stream | None
    writers: tuple[Writer, ...]
    why: str
    fix: str


@dataclass(frozen=True)
class Findings:
    """
    What was found in DAGs.

    :param conflicts: tasks that can write a stream at the same time.
    :param unknown: where that can't be known.
    """

    conflicts: tuple[Finding, ...]
    unknown: tuple[Finding, ...]


class _Answer(Enum):
    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class _Verdict:
    """Whether tasks run one at a time, and why not."""

    answer: _Answer
    why: str = ""


def compare_writers(writers: Sequence[Writer], pools: Mapping[str, int]) -> Findings:
    """
    Compare the tasks that write.

    :param writers: of all DAGs.
    :param pools: the pools that are known, and their slots.
    """
    conflicts: list[Finding] = []
    unknown: list[Finding] = []
    by_stream = dict(_by_stream(writers))
    pool_fixes = _pool_fixes(by_stream, pools)
    for stream, group in by_stream.items():
        verdict = _one_at_a_time(group, pools)
        if verdict.answer is _Answer.NO:
            conflicts.append(Finding(stream, group, verdict.why, _set_pool(group, pool_fixes[stream])))
        elif verdict.answer is _Answer.UNKNOWN:
            unknown.append(Finding(stream, group, verdict.why, _look_at_pool(stream, group)))
    unknown += _of_several_organizations(by_stream, pools, pool_fixes)
    unknown += _of_connections_not_here(by_stream, writers, pools)
    unknown += _of_unknown_streams(writers, pools)
    return Findings(tuple(conflicts), tuple(unknown))


def _by_stream(writers: Sequence[Writer]) -> Iterator[tuple[Stream, tuple[Writer, ...]]]:
    """
    Group tasks by the streams that they certainly share.

    Ids of AnyCost streams are unique, so the connection does not matter, unless it leads to another CloudZero. Names of
    telemetry streams are those of an organization, so only one connection is certainly the same.
    """
    found: dict[tuple[str, ...], dict[Writer, Stream]] = defaultdict(dict)
    for writer in writers:
        for stream in writer.streams:
            place = stream.conn_id if stream.kind is StreamKind.TELEMETRY else ""
            found[stream.kind.value, stream.name, place].setdefault(writer, stream)
    for streams in found.values():
        urls = {stream.base_url for stream in streams.values()}
        for url in sorted(urls - {None} or urls, key=str):
            # A connection that can't be looked up may lead to any of them.
            here = {writer: stream for writer, stream in streams.items() if stream.base_url in (url, None)}
            yield next(stream for stream in here.values() if stream.base_url == url), tuple(here)


def _one_at_a_time(writers: Sequence[Writer], pools: Mapping[str, int]) -> _Verdict:
    if len(writers) == 1 and writers[0].one_at_a_time:
        return _Verdict(_Answer.YES)
    names = sorted({writer.pool for writer in writers})
    # One that is alone here has instances that run at a time: of other runs, or of a mapped task.
    several = "max_active_tis_per_dag is not 1" if len(writers) == 1 else f"{len(writers)} tasks"
    if len(names) > 1:
        return _Verdict(_Answer.NO, f"{several} in {len(names)} pools: {', '.join(names)}")
    [name] = names
    if name not in pools:
        if name == DEFAULT_POOL:
            return _Verdict(_Answer.NO, f"{several} in {name}")
        return _Verdict(_Answer.UNKNOWN, f"{several} in pool {name}, whose slots are not known here")
    total = pools[name]
    if total < 0 or _fewest_of_two(writers) <= total:
        shown = "unlimited slots" if total < 0 else "1 slot" if total == 1 else f"{total} slots"
        return _Verdict(_Answer.NO, f"{several} in {name}, which has {shown}")
    return _Verdict(_Answer.YES)


def _fewest_of_two(writers: Sequence[Writer]) -> int:
    """Return the slots that two instances take which may run at the same time, at the least."""
    least = sorted(writer.pool_slots for writer in writers)
    beside_itself = [2 * writer.pool_slots for writer in writers if not writer.one_at_a_time]
    return min([sum(least[:2])] * (len(least) > 1) + beside_itself)


@dataclass(frozen=True)
class _PoolFix:
    """The pool that tasks belong into, and the stream it is created for; ``None`` when it is there."""

    name: str
    create_for: str | None


def _pool_fixes(by_stream: Mapping[Stream, tuple[Writer, ...]], pools: Mapping[str, int]) -> dict[Stream, _PoolFix]:
    """Return the pool for each stream. A task has one pool, so all streams that tasks connect get the same."""
    streams_of: dict[Writer, list[Stream]] = defaultdict(list)
    for stream, group in by_stream.items():
        for writer in group:
            streams_of[writer].append(stream)
    found: dict[Stream, _PoolFix] = {}
    for stream in by_stream:
        if stream not in found:
            together = _connected(stream, by_stream, streams_of)
            used = dict.fromkeys(writer.pool for each in together for writer in by_stream[each])
            fix = _pool_fix(together, [name for name in used if pools.get(name) == 1])
            found |= dict.fromkeys(together, fix)
    return found


def _connected(
    stream: Stream, by_stream: Mapping[Stream, tuple[Writer, ...]], streams_of: Mapping[Writer, Sequence[Stream]]
) -> list[Stream]:
    """Return a stream, and those that tasks connect with it: directly, or by way of others."""
    together: dict[Stream, None] = {}
    to_do = [stream]
    while to_do:
        one = to_do.pop()
        if one not in together:
            together[one] = None
            to_do += [other for writer in by_stream[one] for other in streams_of[writer]]
    return list(together)


def _pool_fix(streams: Sequence[Stream], of_one_slot: Sequence[str]) -> _PoolFix:
    if len(streams) > 1 and len(of_one_slot) == 1:
        # A lane, which others of its streams rely on.
        return _PoolFix(of_one_slot[0], None)
    name = next((stream.pool_stream for stream in streams if stream.pool_stream), "STREAM")
    return _PoolFix(f"cloudzero_{name}", name)


def _set_pool(writers: Sequence[Writer], fix: _PoolFix) -> str:
    text = f'set pool="{fix.name}" on {"the task" if len(writers) == 1 else "each"}'
    return f"{text}; to create it: cloudzero-provider create-pools {fix.create_for}" if fix.create_for else text


def _look_at_pool(stream: Stream | None, writers: Sequence[Writer]) -> str:
    pool_stream = stream.pool_stream if stream is not None else None
    name = writers[0].pool
    if pool_stream is not None and name == f"cloudzero_{pool_stream}":
        return f"create it, if it is missing: cloudzero-provider create-pools {pool_stream}"
    return f'see that it has 1 slot; if it is missing: airflow pools set {name} 1 "one writer"'


def _of_several_organizations(
    by_stream: Mapping[Stream, tuple[Writer, ...]], pools: Mapping[str, int], pool_fixes: Mapping[Stream, _PoolFix]
) -> Iterator[Finding]:
    """Find telemetry streams of one name on several connections, which may lead to one organization."""
    found: dict[str, list[Stream]] = defaultdict(list)
    for stream in by_stream:
        if stream.kind is StreamKind.TELEMETRY:
            found[stream.name].append(stream)
    for streams in found.values():
        alike = {
            stream
            for pair in combinations(streams, 2)
            if None in (pair[0].base_url, pair[1].base_url) or pair[0].base_url == pair[1].base_url
            for stream in pair
        }
        if not alike:
            continue
        several = [stream for stream in streams if stream in alike]
        writers = tuple(dict.fromkeys(writer for stream in several for writer in by_stream[stream]))
        if _one_at_a_time(writers, pools).answer is not _Answer.YES:
            names = " and ".join(sorted({stream.conn_id for stream in several}))
            why = f"the connections {names} may lead to one organization"
            fix = f"if they do, {_set_pool(writers, pool_fixes[several[0]])}"
            yield Finding(several[0], writers, why, fix)


def _of_connections_not_here(
    by_stream: Mapping[Stream, tuple[Writer, ...]], writers: Sequence[Writer], pools: Mapping[str, int]
) -> Iterator[Finding]:
    """Find AnyCost streams that only a connection names which can't be looked up: others may write the same."""
    of_kind = [writer for writer in writers if writer.kind is StreamKind.ANYCOST]
    streams = [stream for stream in by_stream if stream.kind is StreamKind.ANYCOST]
    is_alone = len(streams) == 1 and not any(writer.unknown for writer in of_kind)
    if is_alone or not of_kind or _one_at_a_time(of_kind, pools).answer is _Answer.YES:
        return
    for stream in streams:
        if stream.pool_stream is None:
            why = f"connection {stream.conn_id} can't be looked up here, so this may be a stream that other tasks write"
            fix = (
                f"let this machine look it up, for example as AIRFLOW_CONN_{stream.conn_id.upper()} in the "
                "environment, with any key; or put all tasks that may write its stream into one pool with 1 slot"
            )
            yield Finding(stream, by_stream[stream], why, fix)


def _of_unknown_streams(writers: Sequence[Writer], pools: Mapping[str, int]) -> Iterator[Finding]:
    for kind in StreamKind:
        of_kind = tuple(writer for writer in writers if writer.kind is kind)
        if not any(writer.unknown for writer in of_kind):
            continue
        verdict = _one_at_a_time(of_kind, pools)
        if verdict.answer is _Answer.UNKNOWN:
            yield Finding(None, of_kind, verdict.why, _look_at_pool(None, of_kind))
        if verdict.answer is not _Answer.NO:
            continue
        for writer in of_kind:
            if writer.unknown:
                fix = (
                    "set the connection and the stream in the DAG (for a mapped task, in partial()), or put all tasks "
                    f"that may write its {kind.value} into one pool with 1 slot"
                )
                yield Finding(None, (writer,), "; ".join(writer.unknown), fix)
