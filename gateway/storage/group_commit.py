"""One writer thread per process, and one transaction for all that wait: what makes a durable write cheap.

A disk or a replicated database makes a few hundred commits a second durable, whatever they hold. So callers
hand over a function; the writer runs all that are waiting in one transaction, each in a savepoint of its
own, commits once, and only then lets the callers go. While it commits, the next batch gathers.

    CommitError               the work may be tried again later
    ├── CommitRefused         nothing was done: the queue is full, or this process is closing
    ├── CommitTimedOut        no answer in time; withdrawn, unless `may_be_committed`
    └── CommitFailed          the database failed; `may_be_committed` when during the commit itself

An exception of the work itself undoes that work alone, and reaches its caller unchanged; only a database
error is turned into CommitFailed, since its own text may quote personal data. Work runs in the writer's
thread while all others wait: it must be short, must keep to its connection, and must not commit.

What works of one transaction do together is done once, in a step before the commit: they leave what it needs in the
notes of their transaction.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class _Job(Generic[T]):
    work: Callable[[Connection], T]
    future: "Future[T]"


class GroupCommit:
    """Runs work in shared durable transactions. Thread-safe; its thread starts with the first work."""

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
        self._waiting: deque[_Job[Any]] = deque()
        self._changed = threading.Condition(threading.Lock())
        self._writer: threading.Thread | None = None
        self._closing = False
        self._steps: list[Step] = []
        self._token = call_in_child(self._reset)

    def before_commit(self, step: Step) -> None:
        """Run the step at the end of every transaction, after its works; when it fails, all of them fail."""
        self._steps.append(step)

    def run(self, work: Callable[[Connection], T]) -> T:
        """Run the work, and return what it returned once that is durable.

        Raises what the work raises, and CommitError.
        """
        job = _Job(work, Future())
        self._submit(job)
        try:
            return job.future.result(self._wait_seconds)
        except TimeoutError:
            if job.future.cancel():
                raise CommitTimedOut(f"not begun within {self._wait_seconds} s; withdrawn") from None
            if job.future.done():
                return job.future.result()
            raise CommitTimedOut(
                f"not committed within {self._wait_seconds} s; it still may be", may_be_committed=True
            ) from None

    @property
    def waiting(self) -> int:
        """How many jobs wait for the writer now."""
        return len(self._waiting)

    def close(self) -> None:
        """Accept no more work, and return when all that was accepted is committed or has failed."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            writer = self._writer
        if writer is not None:
            writer.join(self._wait_seconds)

    def _submit(self, job: _Job[Any]) -> None:
        with self._changed:
            if self._closing:
                raise CommitRefused("this process is closing")
            if len(self._waiting) >= self._capacity:
                raise CommitRefused(f"{self._capacity} writes are waiting already")
            if self._writer is None:
                self._writer = threading.Thread(target=self._write_batches, name="group-commit", daemon=True)
                self._writer.start()
            self._waiting.append(job)
            self._changed.notify()

    def _reset(self) -> None:
        self._waiting = deque()
        self._changed = threading.Condition(threading.Lock())
        self._writer = None
        self._closing = False

    def _write_batches(self) -> None:
        while self._wait_for_work():
            batch = _Batch(self._steps)
            try:
                with self._database.write() as connection:
                    # Taken only now: while the lock was awaited, more has gathered.
                    batch.run(self._take_jobs(), connection)
            except BaseException as error:
                # Whatever happens, nobody is left waiting and the writer lives on. Jobs that could not even
                # begin fail too: their callers are told at once that the database is away.
                batch.fail(error, self._take_jobs() if not batch.begun else [])
            else:
                batch.succeed()

    def _wait_for_work(self) -> bool:
        with self._changed:
            while not self._waiting and not self._closing:
                self._changed.wait()
            return bool(self._waiting)

    def _take_jobs(self) -> list[_Job[Any]]:
        with self._changed:
            count = min(len(self._waiting), self._largest_batch)
            return [self._waiting.popleft() for _ in range(count)]


class _Batch:
    """The jobs of one transaction, and what became of each: nobody is told before the commit."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.begun = False
        self._steps = steps
        self._committing = False
        self._unanswered: list[_Job[Any]] = []
        self._results: list[tuple[Future[Any], Any]] = []
        self._errors: list[tuple[Future[Any], Exception]] = []

    def run(self, jobs: list[_Job[Any]], connection: Connection) -> None:
        """Run each job in a savepoint, then the steps; raises when the transaction itself is lost."""
        self.begun = True
        # From here on a caller can no longer withdraw its job.
        self._unanswered = [job for job in jobs if job.future.set_running_or_notify_cancel()]
        connection.info[_NOTES] = {}
        # The driver's own cursor: savepoints have no parameters and no rows, and SQLAlchemy would cost more than they.
        cursor = connection.connection.cursor()
        for job in self._unanswered:
            notes = notes_of(connection).copy()
            cursor.execute("SAVEPOINT job")
            try:
                self._results.append((job.future, job.work(connection)))
            except Exception as error:
                connection.info[_NOTES] = notes
                try:
                    cursor.execute("ROLLBACK TO SAVEPOINT job")
                except Exception:
                    # The database has given up the whole transaction; the first error says why.
                    raise error from None
                self._errors.append((job.future, _without_data(error)))
            cursor.execute("RELEASE SAVEPOINT job")
        for step in self._steps:
            step(connection)
        self._committing = True

    def succeed(self) -> None:
        """Answer every caller; the transaction is durable."""
        for future, result in self._results:
            future.set_result(result)
        for future, error in self._errors:
            future.set_exception(error)

    def fail(self, error: BaseException, untried: list[_Job[Any]]) -> None:
        """Tell every caller that the database failed, each with an exception of its own to raise."""
        reason = f"the database failed: {_describe(error)}"
        for job in self._unanswered:
            job.future.set_exception(CommitFailed(reason, may_be_committed=self._committing))
        for job in untried:
            if job.future.set_running_or_notify_cancel():
                job.future.set_exception(CommitFailed(reason))


def _without_data(error: Exception) -> Exception:
    return CommitFailed(f"the database failed: {_describe(error)}") if isinstance(error, SQLAlchemyError) else error


def _describe(error: BaseException) -> str:
    """Name the error by its class and its code: its text may quote the values of a row."""
    told = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    code = getattr(told, "sqlstate", None) or getattr(told, "sqlite_errorname", "")
    return f"{type(told).__name__} {code}".strip()
