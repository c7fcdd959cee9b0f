"""What other tools' results are read for."""

from tuner.domain.objective import Objective

RMSE = (Objective("rmse"),)
