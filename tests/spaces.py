"""Search spaces that tests of several parts share."""

SIMULATED = """
name: sim
objective: {metric: rmse}
parameters: {rate: {type: float, low: 1.0e-4, high: 1.0, log: true}, units: {type: int, low: 16, high: 256}}
train: {max_steps: 90, evaluate_every: 90}
search: {sampler: random, trials: 2, workers: 1}
simulation: {task: surface, record: false}
"""
