"""The tracking store of a root: which one, made whole before anybody uses it."""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from textwrap import shorten
from typing import Any

from tuner.errors import RecorderError
from tuner.files.atomic import write_whole
from tuner.files.paths import Root
from tuner.hiding import hidden

_REQUEST = "API request to"  # in what MLflow says of a server that does not answer as it should
_UNFINISHED = ".mlflow-"
_LOCKED_S = 1.0  # how long a database is waited for that another process writes to, where nothing depends on it

_LOCATIONS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "storage_location"),
    ("model_versions", "source"),
)


def tracking_uri(root: Root, given: str | None) -> str:
    """Return the store to record in: the one that is given, else the root's own."""
    return given or f"sqlite:///{root.database_file}"


def is_local_store(root: Root, uri: str) -> bool:
    """Whether a store is the root's own database."""
    return uri == f"sqlite:///{root.database_file}"


def is_there(uri: str) -> bool:
    """Whether a store was made; opening an SQLite database that is not there would make it.

    Raises:
        PermissionError: It may not be read, which MLflow would try again and again.
    """
    scheme, _, path = uri.partition(":///")
    file = Path(path.partition("?")[0])
    if scheme != "sqlite" or not file.exists():
        return scheme != "sqlite"
    file.open("rb").close()
    return True


def environment_with(uri: str | None) -> dict[str, str]:
    """Return the environment of a process that uses a store: what its arguments are, everybody can read.

    Args:
        uri: The store, or None for the root's own.
    """
    others = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    return {**others, "MLFLOW_TRACKING_URI": uri} if uri else others


def prepare_environment() -> None:
    """Keep MLflow quiet and off the network; call it before MLflow is imported."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")
    for name in ("alembic", "mlflow"):
        logging.getLogger(name).setLevel(logging.ERROR)


def make_database(root: Root) -> None:
    """Make the root's database if it is not there.

    It is made beside and renamed: a process that is killed in MLflow's first migration would leave a
    store that never opens again. Several processes make one.
    """
    if root.database_file.exists():
        return
    root.artifacts_dir.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(root.artifacts_dir / ".mlflow.db.lock"):
        if root.database_file.exists():
            return
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        _remove_unfinished(root)
        folder = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=root.path))
        try:
            beside = folder / "mlflow.db"
            make_store: Any = SqlAlchemyStore
            with _unsynced():
                make_store(f"sqlite:///{beside}", root.artifacts_dir.as_uri())
            _sync(beside)
            beside.replace(root.database_file)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def count_rows(root: Root) -> None:
    """Have the root's database note how much its tables hold, by which SQLite chooses how to search them.

    Milliseconds, as a part of each is looked at. It never does by itself, and then takes each of 10,000 trials through
    the objectives of all others when a page orders them by it: 6 s of CPU instead of 0.1.
    """
    there = f"{root.database_file.absolute().as_uri()}?mode=rw"
    with suppress(sqlite3.Error), closing(sqlite3.connect(there, timeout=_LOCKED_S, uri=True)) as db:
        db.execute("PRAGMA analysis_limit=1000")
        db.execute("ANALYZE")
        db.commit()


def _remove_unfinished(root: Root) -> None:
    """Remove what a process has left that died while it made the database; call it while nobody else makes one."""
    for left in root.path.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(left, ignore_errors=True)


def relocate_artifacts(root: Root) -> bool:
    """Let the records of a root that was moved or copied point to the artefacts that moved with it.

    MLflow keeps artefact locations as absolute URIs. Those under the folder where the root was last
    seen are rewritten, all in one transaction; others are somebody's choice and stay.

    Returns:
        Whether it had moved.
    """
    here = root.artifacts_dir.as_uri()
    marker = root.artifacts_dir / ".location"
    root.artifacts_dir.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(root.artifacts_dir / ".mlflow.db.lock"):
        _remove_unfinished(root)
        before = _text(marker)
        if before == here:
            return False
        if before:
            with closing(sqlite3.connect(root.database_file, timeout=60)) as database, database:
                there = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
                for table, column in _LOCATIONS:
                    if table in there:
                        database.execute(
                            f"UPDATE {table} SET {column} = ? || substr({column}, ?) "
                            f"WHERE {column} = ? OR substr({column}, 1, ?) = ?",
                            (here, len(before) + 1, before, len(before) + 1, f"{before}/"),
                        )
        write_whole(marker, f"{here}\n")
        return bool(before)


def has_moved(root: Root) -> bool:
    """Whether a root's records still point to where it was before; see ``relocate_artifacts``."""
    marker = root.artifacts_dir / ".location"
    return _text(marker) != root.artifacts_dir.as_uri()


def _text(marker: Path) -> str:
    return marker.read_text(encoding="utf-8", errors="replace").strip() if marker.exists() else ""


@contextmanager
def _unsynced() -> Iterator[None]:
    """Let SQLite not wait for the disk meanwhile: what migrations leave is renamed when it is whole."""
    from sqlalchemy import Engine, event

    def connected(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA synchronous=OFF")

    event.listen(Engine, "connect", connected)
    try:
        yield
    finally:
        event.remove(Engine, "connect", connected)


def _sync(file: Path) -> None:
    with file.open("rb") as stream:
        os.fsync(stream.fileno())


@contextmanager
def _one_at_a_time(file: Path) -> Iterator[None]:
    with file.open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


@contextmanager
def mlflow_errors(uri: str) -> Iterator[None]:
    """Make of MLflow's errors ours: away for now, or not usable as it is."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import DatabaseError

    try:
        yield
    except MlflowException as error:
        passing = _status(error) >= 500 or _status(error) == 429 or _REQUEST in str(error)
        if passing and "database schema" not in str(error):
            raise ConnectionError(f"{hidden(uri)}: {reason(error)}") from error
        raise RecorderError(f"MLflow at {hidden(uri)} refuses: {_first_line(error)}", _hint(uri, error)) from error
    except (sqlite3.DatabaseError, DatabaseError) as error:
        if is_away(error):
            raise ConnectionError(f"{hidden(uri)}: {reason(error)}") from error
        raise RecorderError(f"MLflow at {hidden(uri)} refuses: {_first_line(error)}", _hint(uri, error)) from error
    except Exception as error:
        if not is_away(error):
            raise
        raise ConnectionError(f"{hidden(uri)}: {reason(error)}") from error


def is_away(error: Exception) -> bool:
    """Whether an error says that the store cannot be reached, or has no time now: it passes by waiting."""
    import requests
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import OperationalError

    if isinstance(error, MlflowException):
        return _status(error) in (429, 502, 503, 504) or isinstance(
            error.__cause__ or error.__context__, requests.RequestException
        )
    away = (requests.RequestException, OperationalError, sqlite3.OperationalError, TimeoutError, ConnectionError)
    return isinstance(error, away)


def is_missing(error: Exception) -> bool:
    """Whether an error says that the store has not what was asked for."""
    return getattr(error, "error_code", "") == "RESOURCE_DOES_NOT_EXIST"


def _status(error: Any) -> int:
    return int(error.get_http_status_code())


def _hint(uri: str, error: Exception) -> str:
    if uri.startswith("sqlite") and any(words in str(error) for words in ("malformed", "is not a database")):
        return "put it back, or move it away: tuner resume NAME then sends all that the sweep has recorded to a new one"
    return "choose another store by MLFLOW_TRACKING_URI, or unset it to use the root's own database"


@contextmanager
def mlflow_must_answer(uri: str, hint: str = "is it running? MLFLOW_TRACKING_URI says where it is") -> Iterator[None]:
    """Make of MLflow's errors ours, for who does not wait until a store is back.

    Args:
        uri: The store.
        hint: What to do if it is away.

    Raises:
        RecorderError: The store does not answer, or refuses.
    """
    try:
        with mlflow_errors(uri):
            yield
    except ConnectionError as error:
        why = reason(error.__cause__ or error)
        raise RecorderError(f"MLflow at {hidden(uri)} does not answer: {why}", hint) from error


def reason(error: BaseException) -> str:
    """Return why a store is away or refuses, in a few whole words: what the system said to whoever asked it first."""
    from requests import RequestException
    from urllib3.exceptions import MaxRetryError

    if not isinstance(error, RequestException) and _REQUEST not in str(error):
        return _first_line(error)
    found = ""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno and seen.strerror:
            return seen.strerror[0].lower() + seen.strerror[1:]
        if isinstance(seen, MaxRetryError) and seen.reason is not None:
            found = str(seen.reason)
        seen = seen.__cause__ or seen.__context__
    return found or _first_line(error)


def _first_line(error: BaseException) -> str:
    lines = hidden(str(error)).strip().splitlines()
    return shorten(lines[0], 200, placeholder=" ...") if lines else type(error).__name__
