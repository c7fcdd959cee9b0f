"""Which trial gets which GPU; there need be none on the machine."""

import pytest

from tuner.backends import gpus
from tuner.backends.gpus import GpuSlots, NoGpus, visible_gpus
from tuner.backends.resources import gpu_slots
from tuner.errors import InvalidInput


def taken(slots, *trials):
    return [slots.assign(trial)["CUDA_VISIBLE_DEVICES"] for trial in trials]


def test_each_trial_has_a_device_of_its_own_and_a_freed_one_is_given_again():
    slots = GpuSlots(("0", "1"), 1)
    assert slots.capacity == 2
    assert taken(slots, 7, 8) == ["0", "1"]
    slots.free(7)
    assert taken(slots, 9) == ["0"]


def test_two_trials_share_a_device_only_when_all_have_one_and_then_take_memory_as_they_need_it():
    slots = GpuSlots(("0", "1"), 0.5)
    assert slots.capacity == 4
    assert taken(slots, 0, 1, 2, 3) == ["0", "1", "0", "1"]
    slots.free(1)
    slots.free(3)
    assert slots.assign(4) == {"CUDA_VISIBLE_DEVICES": "1", "TF_FORCE_GPU_ALLOW_GROWTH": "true"}


@pytest.mark.parametrize(
    ("per_trial", "devices", "capacity"),
    [(0.1, 1, 10), (0.34, 3, 6), (0.5, 1, 2), (1, 4, 4), (2, 5, 2), (2, 1, 0), (0.7, 2, 2)],
)
def test_as_many_trials_run_as_whole_shares_fit(per_trial, devices, capacity):
    slots = GpuSlots([str(number) for number in range(devices)], per_trial)
    assert slots.capacity == capacity
    users = [device for trial in range(capacity) for device in taken(slots, trial)[0].split(",")]
    assert max([users.count(device) for device in users], default=0) <= max(1, int(1 / per_trial))
    with pytest.raises(ValueError, match="no GPU is free"):
        slots.assign(capacity)


def test_several_whole_devices_go_to_one_trial():
    assert taken(GpuSlots(("0", "1", "2", "3"), 2), 0, 1) == ["0,1", "2,3"]


@pytest.mark.parametrize("per_trial", [0, -1, 1.5])
def test_no_share_and_broken_shares_are_refused(per_trial):
    with pytest.raises(ValueError, match="fraction"):
        GpuSlots(("0",), per_trial)


def test_a_trial_without_gpus_sees_none():
    assert NoGpus().assign(0) == {"CUDA_VISIBLE_DEVICES": "-1"}


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (None, ("0", "1", "2")),
        ("2,0", ("2", "0")),
        ("", ()),
        ("-1", ()),
        ("1,-1,2", ("1",)),
        ("1,5,2", ("1",)),  # CUDA ignores what comes behind a device that is not there
        ("GPU-8f3c, GPU-11aa", ("GPU-8f3c", "GPU-11aa")),
        ("0,0", ("0",)),
    ],
)
def test_cuda_visible_devices_chooses_as_it_does_for_cuda(monkeypatch, chosen, expected):
    monkeypatch.setattr(gpus, "_devices", lambda: ("0", "1", "2"))
    environment = {} if chosen is None else {"CUDA_VISIBLE_DEVICES": chosen}
    assert visible_gpus(environment) == expected


def test_a_machine_without_devices_has_none_whatever_the_variable_says(monkeypatch):
    monkeypatch.setattr(gpus, "_devices", lambda: ())
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": "0"}) == ()
    assert visible_gpus({"TUNER_GPUS": "0,1"}) == ("0", "1")


def test_devices_are_asked_of_nvidia_smi_without_tensorflow(monkeypatch, tmp_path):
    program = tmp_path / "nvidia-smi"
    program.write_text('#!/bin/sh\n[ "$1" = --query-gpu=index ] && printf "0\\n1\\n"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.delenv("TUNER_GPUS", raising=False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert visible_gpus() == ("0", "1")


def test_what_a_trial_gets_where_the_file_does_not_say(monkeypatch):
    monkeypatch.setenv("TUNER_GPUS", "")
    assert gpu_slots(None, workers=8) is None
    monkeypatch.setenv("TUNER_GPUS", "0,1")
    assert gpu_slots(None, workers=None).capacity == 2
    assert gpu_slots(None, workers=1).capacity == 2
    assert gpu_slots(None, workers=4).capacity == 4
    assert gpu_slots(None, workers=5).capacity == 6
    assert gpu_slots(0, workers=4) is None


def test_gpus_that_are_not_there_are_refused_with_what_is(monkeypatch):
    monkeypatch.setenv("TUNER_GPUS", "")
    with pytest.raises(InvalidInput, match=r"resources.gpus: each trial asks for 1 GPUs, this machine has none"):
        gpu_slots(1, None)
    monkeypatch.setenv("TUNER_GPUS", "0")
    with pytest.raises(InvalidInput, match=r"asks for 2 GPUs, this machine has 1 \(0\)"):
        gpu_slots(2, None)
