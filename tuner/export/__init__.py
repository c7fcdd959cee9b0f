"""A trial as a SavedModel for serving, and as an MLflow model: exported, checked, whole or not at all."""

from tuner.export.checkpoint_choice import Choice, choose_checkpoint, exported_choice
from tuner.export.export import Exported, ExportProcesses, Fork, export_trial

__all__ = ["Choice", "ExportProcesses", "Exported", "Fork", "choose_checkpoint", "export_trial", "exported_choice"]
