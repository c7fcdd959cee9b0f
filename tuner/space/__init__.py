"""The search space: parameters, their conditions, constants, and how a trial samples them."""

from tuner.space.parameters import Categorical, Discrete, Float, Int, Parameter, Range, Space

__all__ = ["Categorical", "Discrete", "Float", "Int", "Parameter", "Range", "Space"]
