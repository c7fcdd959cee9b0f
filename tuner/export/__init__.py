"""A trial as a SavedModel for serving, and as an MLflow model: exported, checked, whole or not at all."""

from tuner.export.choosing import Choice, choose_checkpoint
from tuner.export.exporting import Exported, export_trial

__all__ = ["Choice", "Exported", "choose_checkpoint", "export_trial"]
