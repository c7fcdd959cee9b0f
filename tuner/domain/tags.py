"""Every tag of trials, of runs in MLflow and of logged models: one name, one place. What is written stays as it is."""

from __future__ import annotations

# Of a trial that shares its parameters with others.
REPEAT_OF = "tuner.repeat_of"  # number of the trial that has drawn the parameters
REPEAT = "tuner.repeat"  # 1 for the first trial with another seed, and so on
MEAN = "tuner.mean"  # of the runs of a group whose trials are all complete
SPREAD = "tuner.spread"

# Of a trial that began with another one's checkpoint.
FORKED_FROM = "tuner.forked_from"
FORKED_AT = "tuner.forked_at"
REPLACES = "tuner.replaces"

# What became of a trial.
FEASIBLE = "tuner.feasible"  # of a finished trial of a sweep with constraints: true or false
STOPPED_AT = "tuner.stopped_at"  # the step at which it met the target and was completed before its end

# What a trial's process says of the model.
SERVABLE = "tuner.servable"  # true if the model can be exported
NOTE = "tuner.note"
UNREAD = "tuner.unread"  # parameters that the model never looked at, as JSON
DATASET = "tuner.dataset"  # why the data was not described
INPUT_POSITION = "tuner.input_position"  # why the position in the input is not in the checkpoints
TRAINED_OUTSIDE = "tuner.trained_outside"  # the folder outside of its own in which it trained
OBJECTIVE_FOLDERS = "tuner.objective_folders"  # in which folder a command has each objective
RESTARTED = "tuner.cluster.restarted"  # which tasks of its cluster were started again, and why the last time
DAMAGE = "tuner.event_damage"  # what could not be read of its event files

# By which runs and logged models are found in MLflow.
ROLE = "tuner.role"  # sweep: the parent run
SWEEP = "tuner.sweep"
SWEEP_ID = "tuner.sweep_id"
TRIAL = "tuner.trial"
STEP = "tuner.step"
TEXT = "tuner.model_text"  # digest of the text of the user's model

# What runs in MLflow say.
STATE = "tuner.state"
REASON = "tuner.reason"
END = "tuner.end"
BEST_TRIAL = "tuner.best_trial"
BEST = "tuner.best."  # and the name of a parameter of the best trial
INFINITE = "tuner.inf."  # and the name of a metric: its infinite values, which MLflow does not take
REFUSED = "tuner.refused"  # what of the run MLflow would not have, and why
FILES = "tuner.files"  # why the files of the sweep could not be stored
EXPORT = "tuner.export"
EXPORT_MODEL_ID = "tuner.export.model_id"
EXPORT_DIFFERS = "tuner.export.differs"
EXPORTED_STEP = "tuner.exported_step"

# Where a sweep comes from.
SIMULATED = "tuner.simulated"  # true if nothing was trained
COMMAND = "tuner.command"
LEARNED_FROM = "tuner.from"
PYTHON = "tuner.python"
VERSION = "tuner.version."  # and the name of a package
GIT_DIRTY = "tuner.git_dirty"
