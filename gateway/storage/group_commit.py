"""One writer thread per process, and one transaction for all that wait: what makes a durable write cheap.

A disk or a replicated database makes a few hundred commits a second durable, whatever they hold. So callers
hand over a function; the writer runs all that are waiting in one transaction, commits once, and only then lets the
callers go. While it commits, the next batch gathers.

    CommitError               the work may be tried again later
    ├── CommitRefused         nothing was done: the queue is full, or this process is closing
    ├── CommitTimedOut        no answer in time; withdrawn, unless `may_be_committed`
    └── CommitFailed          the database failed; `may_be_committed` when during the commit itself

An exception of the work itself undoes that work alone, and reaches its caller unchanged; only a database
error is turned into CommitFailed, since its own text may quote personal data. Work runs in the writer's
thread while all others wait: it must be short, must keep to its connection, and must not commit.

Each work has a savepoint of its own, but for those that may be repeated: as long as all of a batch may, they do
without, and only when one of them fails is the transaction undone, and all are run again in another, with one each.

What works of one transaction do together is done once, in a step before the commit: they leave what it needs in the
notes of their transaction.
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from gateway.storage.database import Database
from gateway.storage.forking import call_in_child

T = TypeVar("T")

REQUEST_WAIT_SECONDS = 10.0
"""How long what is written for a request may wait to be durable."""

# Where a connection's `info` has the notes of its transaction.
_NOTES = "ksz_notes"


class CommitError(Exception):
    """The work is not known to be durable. The message names no data, so that it may be logged."""

    def __init__(self, reason: str, *, may_be_committed: bool = False) -> None:
        super().__init__(reason)
        self.may_be_committed = may_be_committed


class CommitRefused(CommitError):
    """The work was not accepted: too much is waiting already, or the process is closing."""


class CommitTimedOut(CommitError):
    """The work was not durable in time. It was withdrawn, unless `may_be_committed`: then it had begun."""


class CommitFailed(CommitError):
    """The database failed; the next batch tries it anew."""


def notes_of(connection: Connection) -> dict[object, Any]:
    """Return what the works of this transaction have noted; the notes of a work are undone with it.

    So what is noted are values, never changed but replaced.
    """
    notes: dict[object, Any] = connection.info[_NOTES]
    return notes


Step = Callable[[Connection], None]


class _Job(Generic[T]):
    """A work that waits for the writer, and then what became of it."""

    __slots__ = ("_begun", "_done", "_error", "_result", "repeatable", "work")

    def __init__(self, work: Callable[[Connection], T], repeatable: bool) -> None:
        self.work = work
        self.repeatable = repeatable
        # Whoever takes it first decides: the writer, who begins the work, or the caller, who withdraws it.
        self._begun = threading.Lock()
        self._done = threading.Lock()
        self._done.acquire()
        self._result: Any = None
        self._error: Exception | None = None

    def begin(self) -> bool:
        """Tell whether nobody has begun or withdrawn it before: it is the caller's now."""
        return self._begun.acquire(blocking=False)

    def end(self, result: Any, error: Exception | None = None) -> None:
        """Let the caller go, with a result or with an error."""
        self._result, self._error = result, error
        self._done.release()

    def wait(self, seconds: float) -> bool:
        """Tell whether it ended in time."""
        return self._done.acquire(timeout=seconds)

    def take(self) -> T:
        """Return what the work returned, or raise the error; after `wait` said that it ended."""
        if self._error is not None:
            raise self._error
        result: T = self._result
        return result


class GroupCommit:
    """Runs work in shared durable transactions. Thread-safe; its thread starts with the first work."""

    _queue: "SimpleQueue[_Job[Any] | None]"
    _writer: threading.Thread | None
    _closing: bool

    def __init__(
        self,
        database: Database,
        *,
        capacity: int = 1024,
        largest_batch: int = 256,
        wait_seconds: float = REQUEST_WAIT_SECONDS,
    ) -> None:
        """Let at most `capacity` jobs wait, and each at most `wait_seconds`."""
        self._database = database
        self._capacity = capacity
        self._largest_batch = largest_batch
        self._wait_seconds = wait_seconds
        self._steps: list[Step] = []
        self._reset()
        self._token = call_in_child(self._reset)

    def before_commit(self, step: Step) -> None:
        """Run the step at the end of every transaction, after its works; when it fails, all of them fail."""
        self._steps.append(step)

    def run(self, work: Callable[[Connection], T], *, repeatable: bool = False) -> T:
        """Run the work, and return what it returned once that is durable.

        `repeatable` is one that leaves no trace but in the transaction, so that it can be undone and run again.
        Raises what the work raises, and CommitError.
        """
        job = _Job(work, repeatable)
        self._submit(job)
        if not job.wait(self._wait_seconds):
            if job.begin():
                raise CommitTimedOut(f"not begun within {self._wait_seconds} s; withdrawn")
            # It may have ended since.
            if not job.wait(0):
                raise CommitTimedOut(
                    f"not committed within {self._wait_seconds} s; it still may be", may_be_committed=True
                )
        return job.take()

    @property
    def waiting(self) -> int:
        """How many jobs wait for the writer now."""
        return self._queue.qsize() + self._taken

    def close(self) -> None:
        """Accept no more work, and return when all that was accepted is committed or has failed."""
        with self._submitting:
            if not self._closing:
                self._closing = True
                self._queue.put(None)
            writer = self._writer
        if writer is not None:
            writer.join(self._wait_seconds)

    def _submit(self, job: _Job[Any]) -> None:
        with self._submitting:
            if self._closing:
                raise CommitRefused("this process is closing")
            if self.waiting >= self._capacity:
                raise CommitRefused(f"{self._capacity} writes are waiting already")
            if self._writer is None:
                self._writer = threading.Thread(target=self._write_batches, name="group-commit", daemon=True)
                self._writer.start()
            self._queue.put(job)

    def _reset(self) -> None:
        # None is the last: no more will come.
        self._queue = SimpleQueue()
        self._submitting = threading.Lock()
        self._writer = None
        self._closing = False
        self._taken = 0

    def _write_batches(self) -> None:
        while (first := self._queue.get()) is not None:
            self._taken = 1
            batch = _Batch(self._steps)
            try:
                with suppress(_Undone), self._database.write() as connection:
                    # The others are taken only now: while the lock was awaited, more have gathered.
                    batch.begin(self._take_jobs(first))
                    batch.run(connection)
                if not batch.is_run:
                    with self._database.write() as connection:
                        batch.run(connection)
            except BaseException as error:
                # Whatever happens, nobody is left waiting and the writer lives on. Jobs that could not even
                # begin fail too: their callers are told at once that the database is away.
                batch.fail(error, self._take_jobs(first) if not batch.begun else [])
            else:
                batch.succeed()

    def _take_jobs(self, first: _Job[Any]) -> list[_Job[Any]]:
        jobs = [first]
        self._taken = 0
        with suppress(Empty):
            while len(jobs) < self._largest_batch:
                job = self._queue.get_nowait()
                if job is None:
                    self._queue.put(None)
                    break
                jobs.append(job)
        return jobs


class _Undone(Exception):
    """A work failed, and with it the transaction that it shared with others: all have to be run again."""


class _Batch:
    """The jobs of one transaction, and what became of each: nobody is told before the commit."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.begun = False
        self.is_run = False
        self._steps = steps
        self._together = True
        self._jobs: list[_Job[Any]] = []
        self._ends: list[tuple[Any, Exception | None]] = []

    def begin(self, jobs: list[_Job[Any]]) -> None:
        """Take the jobs: from here on a caller can no longer withdraw its own."""
        self.begun = True
        self._jobs = [job for job in jobs if job.begin()]
        self._together = all(job.repeatable for job in self._jobs)

    def run(self, connection: Connection) -> None:
        """Run each job, then the steps; raises when the transaction is lost, _Undone where another may do better."""
        connection.info[_NOTES] = {}
        if self._together:
            self._ends = self._run_together(connection)
        else:
            # The driver's own: savepoints have no parameters and no rows, and SQLAlchemy would cost more than they.
            cursor = connection.connection.cursor()
            self._ends = [self._run_apart(job, connection, cursor) for job in self._jobs]
        for step in self._steps:
            step(connection)
        self.is_run = True

    def succeed(self) -> None:
        """Answer every caller; the transaction is durable."""
        for job, end in zip(self._jobs, self._ends, strict=True):
            job.end(*end)

    def fail(self, error: BaseException, untried: list[_Job[Any]]) -> None:
        """Tell every caller that the database failed, each with an exception of its own to raise."""
        reason = f"the database failed: {_describe(error)}"
        for job in self._jobs:
            job.end(None, CommitFailed(reason, may_be_committed=self.is_run))
        for job in untried:
            if job.begin():
                job.end(None, CommitFailed(reason))

    def _run_together(self, connection: Connection) -> list[tuple[Any, Exception | None]]:
        try:
            return [(job.work(connection), None) for job in self._jobs]
        except Exception as error:
            self._together = False
            raise _Undone from error

    def _run_apart(self, job: _Job[T], connection: Connection, cursor: Any) -> tuple[T | None, Exception | None]:
        notes = notes_of(connection).copy()
        cursor.execute("SAVEPOINT job")
        try:
            end = job.work(connection), None
        except Exception as error:
            connection.info[_NOTES] = notes
            _undo(cursor, error)
            return None, _without_data(error)
        cursor.execute("RELEASE SAVEPOINT job")
        return end


def _undo(cursor: Any, error: Exception) -> None:
    """Go back to the savepoint; the error itself where the database has given up the whole transaction."""
    try:
        cursor.execute("ROLLBACK TO SAVEPOINT job")
    except Exception:
        raise error from None


def _without_data(error: Exception) -> Exception:
    return CommitFailed(f"the database failed: {_describe(error)}") if isinstance(error, SQLAlchemyError) else error


def _describe(error: BaseException) -> str:
    """Name the error by its class and its code: its text may quote the values of a row."""
    told = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    code = getattr(told, "sqlstate", None) or getattr(told, "sqlite_errorname", "")
    return f"{type(told).__name__} {code}".strip()
