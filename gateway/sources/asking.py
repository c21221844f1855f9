"""What asking a source that lies in a database has in common: how its failures are told."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from services.consultation import SourceCommunicationFailed, SourceUnavailable

Read = Callable[[], AbstractContextManager[Connection]]


@contextmanager
def asking(read: Read) -> Iterator[Connection]:
    """Give a connection for the duration of a question; failures are told as `telling_failures` says."""
    with telling_failures(), read() as connection:
        yield connection


@contextmanager
def telling_failures() -> Iterator[None]:
    """Tell the failures of a source's database as those of a source.

    Raises SourceUnavailable when the database cannot be reached, lacks the tables (PostgreSQL counts that among
    mistakes of the programmer) or gives no connection in time, and SourceCommunicationFailed when it breaks off
    otherwise.
    """
    # The driver's own error is the cause: SQLAlchemy's could repeat the statement's parameters, an SSIN.
    try:
        yield
    except (OperationalError, ProgrammingError) as error:
        raise SourceUnavailable("the register's database cannot be asked") from error.orig
    except PoolTimeoutError as error:
        raise SourceUnavailable("the register's database gave no connection in time") from error
    except DBAPIError as error:
        raise SourceCommunicationFailed("the register's database broke off") from error.orig
