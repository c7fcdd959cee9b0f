"""What is replaced for the evaluations of a trial, in the order that it needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tuner.estimator.input_checks import check_inputs
from tuner.estimator.session_readiness import skip_readiness_check
from tuner.estimator.session_reuse import reuse_evaluation_session
from tuner.estimator.unwritten_metrics import note_unwritten_metrics


@contextmanager
def evaluation_patches(trial_dir: Path) -> Iterator[None]:
    """Check the inputs of what is evaluated meanwhile, let its evaluations share a session, note what they leave out.

    The check comes last: its hook is one of those by which evaluations that may share a session are recognised.
    """
    with note_unwritten_metrics(trial_dir), reuse_evaluation_session(), skip_readiness_check(), check_inputs():
        yield
