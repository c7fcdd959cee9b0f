"""A study on a database that several drivers share: one of them at a time counts, asks and takes up.

What a driver reads and writes while it holds ``StudyLock`` no other driver changes. It is tried for again and again,
since a call that waits in a database's library hears no signal. On PostgreSQL the lock lasts exactly as long as a
transaction (a driver that dies releases it with its connection), on MySQL as long as a connection; a restart of the
server ends both. So a lock on a file is held as well, beside the database on SQLite, in the sweep's folder on a server:
while the server is away it keeps apart the drivers of one host, and of others whose file system passes locks on.
"""

from __future__ import annotations

import fcntl
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from tuner.errors import InvalidInput, Problem, StoreError
from tuner.hiding import hidden
from tuner.study.reconnection import Reconnection, away, reason_of

if TYPE_CHECKING:
    from optuna.storages import BaseStorage

EXTRAS = {"postgresql": "postgres"}
_BETWEEN_S = 0.01  # from one try to lock to the next
_LONG_S = 30.0  # after which it is said
_USUAL_S = 0.4  # longer than a driver holds the lock, unless it hangs, or the database is away


class StudyLock:
    """Let one driver at a time into ``held``.

    Args:
        url: Of the database.
        study: Name of the study.
        file: Locked with a database that is a server.
        reconnection: Waits while the database is away.

    Raises:
        InvalidInput: The URL is none, or its driver is not installed.
    """

    def __init__(self, url: str, study: str, file: Path, reconnection: Reconnection) -> None:
        from sqlalchemy import create_engine
        from sqlalchemy.engine import make_url
        from sqlalchemy.exc import ArgumentError, NoSuchModuleError

        self._key = zlib.crc32(f"tuner:{study}".encode())
        self._reconnection = reconnection
        try:
            self._url = make_url(url)
            self._engine: Any = create_engine(url, pool_pre_ping=True)
        except (ArgumentError, NoSuchModuleError) as error:
            raise _no_url(url, error) from error
        except ImportError as error:
            raise _not_installed(url, error) from error
        self._is_file = self._url.get_backend_name() == "sqlite"
        self._file = Path(f"{self._url.database}.lock") if self._is_file else file

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock, waiting for it.

        Raises:
            StoreError: The database cannot be reached.
        """
        if self._is_file:
            with self._file_held():
                yield
            return
        from sqlalchemy.exc import SQLAlchemyError

        try:
            connection = self._reconnection.run(self._connected)
        except SQLAlchemyError as error:
            raise unreachable(str(self._url), error) from error
        try:
            with self._file_held():
                yield
        finally:
            self._release(connection)

    @contextmanager
    def _file_held(self) -> Iterator[None]:
        with self._file.open("a") as stream:
            self._wait(lambda: _locked(stream))
            yield

    def _wait(self, taken: Callable[[], bool]) -> None:
        """Wait until the lock is taken.

        Raises:
            StoppedWaiting: Somebody asked the sweep to stop, and the lock was held for longer than is waited.
        """
        began, said = time.monotonic(), False
        while not taken():
            if not said and time.monotonic() > began + _LONG_S:
                self._reconnection.tell("another driver has held the study's lock for half a minute: does it hang?")
                said = True
            if time.monotonic() < began + _USUAL_S:
                time.sleep(_BETWEEN_S)
            else:
                self._reconnection.pause(_BETWEEN_S, "another driver held the lock of its study")

    def _connected(self) -> Any:
        """Return a connection that holds the lock."""
        connection = self._engine.connect()
        try:
            connection.begin()
            self._acquire(connection, self._url.get_backend_name())
        except BaseException:
            connection.close()
            raise
        return connection

    def _release(self, connection: Any) -> None:
        """Release the lock; a restart of the server has done so already."""
        try:
            if self._url.get_backend_name() != "postgresql":
                connection.exec_driver_sql("SELECT RELEASE_LOCK(%s)", (str(self._key),))
            connection.commit()
        except Exception as error:
            if not away(error):
                raise
        finally:
            connection.close()

    def _acquire(self, connection: Any, backend: str) -> None:
        if backend == "postgresql":
            self._wait(lambda: _answer(connection, f"SELECT pg_try_advisory_xact_lock({self._key})"))
        elif backend in ("mysql", "mariadb"):
            self._wait(lambda: _answer(connection, "SELECT GET_LOCK(%s, 0)", (str(self._key),)))
        else:
            raise InvalidInput("--storage", f"found a {backend} database, expected postgresql, mysql or sqlite")


def _answer(connection: Any, question: str, *values: Any) -> bool:
    """Return what a database answers that is asked for a lock."""
    return bool(connection.exec_driver_sql(question, *values).scalar())


def _locked(stream: IO[str]) -> bool:
    """Lock a file; False if somebody else holds it."""
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def database_url(url: str) -> str:
    """Return a database's URL as it holds from any folder.

    Raises:
        InvalidInput: It is none, or of a database that is gone with its process.
    """
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:  # the latter if a port is no number
        raise _no_url(url, error) from error
    file = parsed.database or ""
    if parsed.get_backend_name() != "sqlite" or file.startswith("file:"):
        return url
    if file in ("", ":memory:"):
        raise InvalidInput(
            "--storage",
            f"{url} is a database in memory, which is gone with its process; expected a file, as in "
            f"sqlite:///{parsed.host or 'study.db'}, or no --storage",
        )
    if not (folder := Path(file).absolute().parent).is_dir():
        raise InvalidInput("--storage", [Problem("", f"there is no folder {folder} for {url}", "make it first")])
    return parsed.set(database=str(Path(file).absolute())).render_as_string(hide_password=False)


def missing_file(url: str) -> str:
    """Return the file that a URL names, if it is not there and opening it would make it; else an empty string."""
    from sqlalchemy.engine import make_url

    parsed = make_url(url)
    file = parsed.database or ""
    there = parsed.get_backend_name() != "sqlite" or file.startswith("file:") or Path(file).exists()
    return "" if there else file


def open_database(url: str) -> BaseStorage:
    """Open Optuna's storage on a database, making its tables if they are not there.

    Raises:
        InvalidInput: Its driver is not installed.
        StoreError: It cannot be reached, or is that of another version of Optuna.
    """
    import optuna
    from sqlalchemy.exc import SQLAlchemyError

    try:
        return optuna.storages.get_storage(url)
    except ImportError as error:
        raise _not_installed(url, error) from error
    except SQLAlchemyError as error:
        raise unreachable(url, error) from error
    except RuntimeError as error:
        raise StoreError(
            f"{hidden(url)} holds the tables of another version of Optuna than the installed {optuna.__version__}: "
            f"{str(error).splitlines()[0]}",
            "use that version, or upgrade the tables with: optuna storage upgrade --storage URL",
        ) from error


def unreachable(url: str, error: Exception) -> StoreError:
    """Return the error that a database cannot be reached."""
    return StoreError(
        f"the database {hidden(url)} cannot be used: {reason_of(error)}",
        "is the server running? A password that is not in the URL is read from PGPASSWORD or ~/.pgpass",
    )


def _no_url(url: str, error: Exception) -> InvalidInput:
    expected = "expected one like postgresql://user@host/database"
    if "://" not in url and Path(url).suffix in (".db", ".sqlite", ".sqlite3"):
        expected = f"of that file it is sqlite:///{url}"
    return InvalidInput("--storage", f"{hidden(url)} is no database URL ({error}); {expected}")


def _not_installed(url: str, error: ImportError) -> InvalidInput:
    kind = url.partition(":")[0].partition("+")[0]
    extra = EXTRAS.get(kind)
    remedy = f"pip install 'estimator-tuner[{extra}]'" if extra else "install the database's Python driver"
    return InvalidInput("--storage", f"{hidden(url)} needs a driver that is not installed ({error}); {remedy}")
