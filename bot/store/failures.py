"""What a database's failure means, in the sentence that a person is shown; no driver's error leaves bot.store."""

import sqlite3

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from bot.errors import DoctorError, StoreSchemaError, StoreUnavailableError, StoreUnreachableError

FAILURES = (DBAPIError, PoolTimeoutError, sqlite3.Error, OSError, TimeoutError)
"""The drivers' own errors come as they are, not in SQLAlchemy's, where a connection is being made."""

_ASK = "Look at the database server, its address and the network in between; what was asked can be repeated."
_REPORT = "Report this as a bug, with the log."

# SQLite's primary result codes, https://sqlite.org/rescode.html
_SQLITE = {
    sqlite3.SQLITE_BUSY: ("is locked by another program", "Close whatever else has the file open, and try again."),
    sqlite3.SQLITE_LOCKED: ("is locked by another program", "Close whatever else has the file open, and try again."),
    sqlite3.SQLITE_FULL: ("cannot grow: the disk is full", "Make room on the disk; nothing was half-written."),
    sqlite3.SQLITE_IOERR: ("cannot be read or written: the disk failed", "Look at the disk and the kernel's log."),
    sqlite3.SQLITE_READONLY: ("may not be written", "Give the bot's user the right to write the file and its folder."),
    sqlite3.SQLITE_PERM: ("may not be written", "Give the bot's user the right to write the file and its folder."),
    sqlite3.SQLITE_CANTOPEN: ("cannot be opened", "Check that the folder exists and the bot's user may write there."),
    sqlite3.SQLITE_CORRUPT: ("is damaged", "Restore it from a backup; `sqlite3 FILE .recover` saves what can be read."),
    sqlite3.SQLITE_NOTADB: ("is not an SQLite database", "Check database.url in the configuration."),
}
# PostgreSQL's SQLSTATE codes, https://www.postgresql.org/docs/current/errcodes-appendix.html
_POSTGRESQL = {
    "28P01": ("refuses the user or the password", "Check database.url and DATABASE_PASSWORD."),
    "28000": ("refuses the user or the password", "Check database.url and DATABASE_PASSWORD."),
    "3D000": ("does not exist on its server", "Create it, or check database.url."),
    "42501": ("does not permit this to the bot's user", "Grant the user all rights on the database's tables."),
    "25006": ("is read-only: a standby?", "Check that database.url names the primary server."),
    "53100": ("cannot grow: the disk is full", "Make room on the server's disk; nothing was half-written."),
    "53300": ("has no connection left", "Raise max_connections on the server, or run fewer replicas."),
    "55P03": ("is locked by another program", "Look for a long transaction in pg_stat_activity, and try again."),
    "57014": ("did not answer in time", _ASK),
}
_UNDEFINED_TABLE = "42P01"
_DEADLOCK = "40P01"
_SERIALIZATION = "40001"
_CONNECTION = ("08", "57P")  # connection exceptions; shut down, crashed, starting up


def told(error: Exception, place: str) -> DoctorError:
    """Our error for the driver's. `place` names the database, without its password."""
    if isinstance(error, PoolTimeoutError):
        return _unavailable(place, "is too busy: no connection came free", _ASK)
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        return _sqlite(cause, place)
    if not isinstance(error, DBAPIError):
        return _unavailable(place, "cannot be reached", _ASK)
    state = _sqlstate(error)
    if state == _UNDEFINED_TABLE:
        return not_migrated(place)
    if state in _POSTGRESQL:
        return _unavailable(place, *_POSTGRESQL[state])
    if is_lost(error):
        return _unavailable(place, "cannot be reached", _ASK)
    return _unavailable(place, f"broke off a statement ({state or type(error.orig).__name__})", _REPORT)


def not_migrated(place: str) -> StoreSchemaError:
    return StoreSchemaError(
        f"The database {place} lacks the tables of this version of token-doctor.",
        next_step="Run `token-doctor migrate` once, with the same configuration, and start again.",
    )


def is_lost(error: Exception) -> bool:
    """Whether the connection broke or could not be had: what was under way may or may not have taken effect."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or _sqlstate(error).startswith(_CONNECTION)
    return isinstance(error, OSError | TimeoutError)


def is_passing(error: Exception) -> bool:
    """Whether the same transaction, begun anew, may well succeed at once."""
    again = {_DEADLOCK, _SERIALIZATION, "53300"}
    return is_lost(error) or (isinstance(error, DBAPIError) and _sqlstate(error) in again)


def _sqlite(error: sqlite3.Error, place: str) -> StoreUnavailableError:
    code = getattr(error, "sqlite_errorcode", 0)
    known = _SQLITE.get(code & 0xFF)  # the upper bytes tell more than a person needs
    if known:
        return _unavailable(place, *known)
    return _unavailable(place, f"broke off a statement ({getattr(error, 'sqlite_errorname', type(error))})", _REPORT)


def _unavailable(place: str, what: str, next_step: str) -> StoreUnavailableError:
    kind = StoreUnreachableError if next_step == _ASK else StoreUnavailableError
    return kind(f"The database {place} {what}.", next_step=next_step)


def _sqlstate(error: DBAPIError) -> str:
    return getattr(error.orig, "sqlstate", None) or ""
