"""``tuner list``: the sweeps under the root."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuner.cli.app import DebugOption, RootOption, command
from tuner.cli.lines import say
from tuner.cli.tables import Format, FormatOption, write
from tuner.errors import InvalidInput, Problem, TunerError
from tuner.files.beside import near_path
from tuner.files.denied import denial

if TYPE_CHECKING:
    from tuner.files.paths import SweepDir

COLUMNS = ("sweep", "state", "trials", "total", "complete", "pruned", "fail", "waiting", "best", "seconds", "reason")
_UNREADABLE = "unreadable"


@command("list")
def list_sweeps(form: FormatOption = Format.TABLE, root: RootOption = Path(), debug: DebugOption = False) -> int:
    """List the sweeps under the root, how each stands and what ended it.

    A sweep is running; finished, if one of its limits was reached; failed, if a failure limit struck or no trial
    completed and none may go on; or stopped, to be continued by tuner resume. One that cannot be read is unreadable,
    and its reason says why; the exit status is 1 if all are. Its trials are those that have ended, the waiting ones are
    paused or interrupted and may go on; its seconds are those of all trials together.
    """
    from tuner.config.unknown_sweep import sweeps_elsewhere
    from tuner.files.paths import Root

    del debug
    if not root.is_dir():
        raise InvalidInput("--root", [Problem("", f"there is no folder {root.absolute()}", near_path(root.absolute()))])
    here = Root(root.absolute())
    rows = [_row(sweep_dir) for sweep_dir in here.sweeps()]
    if not rows:
        say(f"no sweeps under {here.path}; {sweeps_elsewhere(here)}", err=form is not Format.TABLE)
    if rows or form is not Format.TABLE:
        write(rows, COLUMNS, form)
    return int(bool(rows) and all(row["state"] == _UNREADABLE for row in rows))


def _row(sweep_dir: SweepDir) -> dict[str, Any]:
    """Return how a sweep stands; one that is damaged, or whose database is away, must not hide the others."""
    try:
        return _standing(sweep_dir)
    except (TunerError, OSError) as error:
        reason = (denial(error) if isinstance(error, OSError) else "") or str(error).splitlines()[0]
        return {**dict.fromkeys(COLUMNS), "sweep": sweep_dir.name, "state": _UNREADABLE, "reason": reason}


def _standing(sweep_dir: SweepDir) -> dict[str, Any]:
    from tuner.cli.targets import say_lost
    from tuner.config.manifest import read_manifest
    from tuner.domain.trial import TrialState
    from tuner.files.driver_lock import at_work
    from tuner.results import SweepResult

    manifest = read_manifest(sweep_dir)
    result = SweepResult(sweep_dir, manifest.spec, manifest.storage_url)
    say_lost(result)
    states = [trial.state for trial in result.trials]
    best = result.best_or_none
    state, reason = ("running", "") if at_work(sweep_dir) else _ended(sweep_dir)
    return {
        "sweep": sweep_dir.name,
        "state": state,
        "trials": sum(state.is_finished for state in states),
        "total": manifest.spec.search.trials,
        "complete": states.count(TrialState.COMPLETE),
        "pruned": states.count(TrialState.PRUNED),
        "fail": states.count(TrialState.FAIL),
        "waiting": sum(state in (TrialState.PAUSED, TrialState.INTERRUPTED) for state in states),
        "best": best.judged if best else None,
        "seconds": round(sum(trial.record.seconds for trial in result.trials), 1),
        "reason": reason,
    }


def _ended(sweep_dir: SweepDir) -> tuple[str, str]:
    """Return how a sweep stands on which nobody works, and why it does."""
    from tuner.records.log import last_record
    from tuner.records.record import SweepClosed

    last = last_record(sweep_dir.records_file)
    if not isinstance(last, SweepClosed):
        return "stopped", "its driver died"
    if not last.finished:
        return "stopped", "interrupted"
    return "failed" if last.failed else "finished", last.reason
