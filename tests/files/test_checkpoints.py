"""What is kept and deleted of the checkpoints in a trial's folder."""

from tuner.files import checkpoints


def test_a_trial_killed_in_the_middle_of_a_checkpoint_leaves_neither_that_nor_its_position_in_the_input(tmp_path):
    below = tmp_path / "model"  # as a script has it
    for folder in (tmp_path, below):
        for unfinished in ("input.ckpt-40_temp", "model.ckpt-40_temp"):
            (folder / unfinished).mkdir(parents=True)
            (folder / unfinished / "part-00000-of-00001.data-00000-of-00001").touch()
        for name in ("input.ckpt-20.index", "model.ckpt-20.index", "model.ckpt-20.data-00000-of-00001"):
            (folder / name).touch()
    checkpoints.tidy(tmp_path)
    whole = ["model.ckpt-20.data-00000-of-00001", "model.ckpt-20.index"]
    assert sorted(file.name for file in tmp_path.iterdir() if file.is_file()) == whole
    assert sorted(file.name for file in below.iterdir()) == whole
    assert checkpoints.steps(tmp_path) == [20]
    checkpoints.tidy(tmp_path)  # nothing to do is no error


def checkpoint(folder, *steps):
    for step in steps:
        (folder / f"model.ckpt-{step}.index").touch()
    checkpoints.name_newest(folder, max(checkpoints.steps(folder)))


def test_an_attempt_that_is_told_again_what_earlier_ones_evaluated_keeps_their_best_checkpoint(tmp_path):
    checkpoint(tmp_path, 40, 260, 270)
    for ranked in ([10], [20, 10], [30, 20, 10], [40, 30, 20, 10], [40, 50, 30, 20, 10]):
        assert checkpoints.thin(tmp_path, ranked) == 0
    checkpoint(tmp_path, 280)
    assert checkpoints.thin(tmp_path, [40, *range(50, 290, 10), 30, 20, 10]) == 1
    assert checkpoints.steps(tmp_path) == [40, 270, 280]


def test_a_trial_that_runs_ahead_of_its_driver_keeps_what_has_not_been_judged(tmp_path):
    checkpoint(tmp_path, 0, 10, 20, 30, 40, 50)
    checkpoints.thin(tmp_path, [20, 10])
    assert checkpoints.steps(tmp_path) == [20, 30, 40, 50]
    checkpoints.thin(tmp_path, [30, 20, 10, 40])
    assert checkpoints.steps(tmp_path) == [30, 40, 50]
    checkpoints.thin(tmp_path, [])
    assert checkpoints.steps(tmp_path) == [30, 40, 50]


def test_the_best_of_those_that_are_there_is_kept_when_the_best_is_gone(tmp_path):
    checkpoint(tmp_path, 20, 30, 40, 50)
    checkpoints.thin(tmp_path, [10, 30, 20, 40, 50])
    assert checkpoints.steps(tmp_path) == [30, 40, 50]
    checkpoints.keep_one(tmp_path, [10, 30, 20, 40, 50])
    assert checkpoints.steps(tmp_path) == [30]
