"""What is kept and deleted of the checkpoints in a trial's folder."""

from tuner.trial import checkpoints


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
