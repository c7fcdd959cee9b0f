"""A study on a database that several drivers share: one of them at a time counts, asks and takes up.

What a driver reads and writes while it holds ``StudyLock`` no other driver changes. On PostgreSQL the lock
lasts exactly as long as a transaction (a driver that dies releases it with its connection), on MySQL
as long as a connection, on SQLite it is a lock on a file beside the database.
"""

from __future__ import annotations

import fcntl
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuner.errors import InvalidInput, StoreError
from tuner.showing import hidden

if TYPE_CHECKING:
    from optuna.storages import BaseStorage

EXTRAS = {"postgresql": "postgres"}


class StudyLock:
    """Let one driver at a time into ``held``.

    Args:
        url: Of the database.
        study: Name of the study.

    Raises:
        InvalidInput: The URL is none, or its driver is not installed.
    """

    def __init__(self, url: str, study: str) -> None:
        from sqlalchemy import create_engine
        from sqlalchemy.engine import make_url
        from sqlalchemy.exc import ArgumentError, NoSuchModuleError

        self._key = zlib.crc32(f"tuner:{study}".encode())
        try:
            self._url = make_url(url)
            self._engine: Any = create_engine(url, pool_pre_ping=True)
        except (ArgumentError, NoSuchModuleError) as error:
            raise _no_url(url, error) from error
        except ImportError as error:
            raise _not_installed(url, error) from error

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock, waiting for it.

        Raises:
            StoreError: The database cannot be reached.
        """
        backend = self._url.get_backend_name()
        if backend == "sqlite":
            with Path(f"{self._url.database}.lock").open("a") as stream:
                fcntl.flock(stream, fcntl.LOCK_EX)
                yield
            return
        from sqlalchemy.exc import SQLAlchemyError

        try:
            connection = self._engine.connect()
        except SQLAlchemyError as error:
            raise unreachable(str(self._url), error) from error
        with connection, connection.begin():
            self._take(connection, backend)
            try:
                yield
            finally:
                if backend in ("mysql", "mariadb"):
                    connection.exec_driver_sql("SELECT RELEASE_LOCK(%s)", (str(self._key),))

    def _take(self, connection: Any, backend: str) -> None:
        if backend == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({self._key})")
        elif backend in ("mysql", "mariadb"):
            taken = connection.exec_driver_sql("SELECT GET_LOCK(%s, 600)", (str(self._key),)).scalar()
            if taken != 1:
                raise StoreError(
                    f"another driver has held the lock of the study in {hidden(str(self._url))} for ten minutes",
                    "look whether it hangs; with its end the lock is free",
                )
        else:
            raise InvalidInput("--storage", f"found a {backend} database, expected postgresql, mysql or sqlite")


def database_url(url: str) -> str:
    """Return a database's URL as it holds from any folder.

    Raises:
        InvalidInput: It is none, or of a database that is gone with its process.
    """
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:  # the latter where a port is no number
        raise _no_url(url, error) from error
    file = parsed.database or ""
    if parsed.get_backend_name() != "sqlite" or file.startswith("file:"):
        return url
    if file in ("", ":memory:"):
        raise InvalidInput(
            "--storage",
            f"{url} is a database in memory, which is gone with its process; expected a file, as in "
            "sqlite:///study.db, or no --storage",
        )
    return parsed.set(database=str(Path(file).absolute())).render_as_string(hide_password=False)


def missing_file(url: str) -> str:
    """Return the file that a URL names, where it is not there and opening it would make it; else an empty string."""
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


def without_password(url: str) -> str:
    """Return a URL as it may be written down: database clients find a password in their environment."""
    from sqlalchemy.engine import make_url

    bare = make_url(url)._replace(password=None).difference_update_query(("password", "passwd"))
    return bare.render_as_string(hide_password=False)


def unreachable(url: str, error: Exception) -> StoreError:
    """Return the error that a database cannot be reached."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    reason = re.sub(r"^\(\S+\) ", "", lines[0]) if lines else type(error).__name__
    return StoreError(
        f"the database {hidden(url)} cannot be used: {reason}",
        "is the server running? A password that is not in the URL is read from PGPASSWORD or ~/.pgpass",
    )


def _no_url(url: str, error: Exception) -> InvalidInput:
    expected = "expected one like postgresql://user@host/database"
    return InvalidInput("--storage", f"{hidden(url)} is no database URL ({error}); {expected}")


def _not_installed(url: str, error: ImportError) -> InvalidInput:
    kind = url.partition(":")[0].partition("+")[0]
    remedy = f"pip install 'tuner[{EXTRAS[kind]}]'" if kind in EXTRAS else "install the database's Python driver"
    return InvalidInput("--storage", f"{hidden(url)} needs a driver that is not installed ({error}); {remedy}")
