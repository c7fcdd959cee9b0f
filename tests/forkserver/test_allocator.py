"""The fork server allocates with the fastest allocator of the machine, and what it starts does not."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tuner.backends import Ended, local
from tuner.backends.local import LocalBackend
from tuner.domain.job import Job
from tuner.domain.spec import ModelRef, TrainSettings
from tuner.files.paths import TrialDir
from tuner.forkserver.allocator import FASTEST_FIRST, allocator

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="LD_PRELOAD is of Linux")


def library(folder, name, machine=None):
    """A file that looks like a library of this machine, or of another."""
    folder.mkdir(exist_ok=True)
    header = bytearray(Path(sys.executable).read_bytes()[:64])
    if machine is not None:
        header[18:20] = machine.to_bytes(2, sys.byteorder)
    file = folder / name
    file.write_bytes(header)
    return file


def test_the_fastest_is_taken_wherever_it_lies(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    assert allocator({}, [one, other]) == {}
    library(one, "libjemalloc.so.2")
    library(other, "libtcmalloc_minimal_debug.so.4")
    assert allocator({}, [one, other])["LD_PRELOAD"] == str(one / "libjemalloc.so.2")
    library(other, "libtcmalloc_minimal.so.4.5.10")
    library(other, "libtcmalloc_minimal.so.4")
    assert allocator({}, [one, other])["LD_PRELOAD"] == str(other / "libtcmalloc_minimal.so.4")


def test_what_cannot_be_preloaded_is_not(tmp_path):
    library(tmp_path / "elsewhere", "libmimalloc.so.2", machine=0xFFFF)
    library(tmp_path / "a folder", "libmimalloc.so.2")
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "libmimalloc.so").write_text("INPUT(libmimalloc.so.2)")  # as linkers take it
    (tmp_path / "gone").mkdir()
    (tmp_path / "gone" / "libmimalloc.so").symlink_to("nothing")
    assert allocator({}, [tmp_path / each for each in ("elsewhere", "a folder", "text", "gone", "nowhere")]) == {}


@pytest.mark.parametrize("chosen", ["", "libmine.so"])
def test_who_sets_ld_preload_has_chosen(tmp_path, chosen):
    library(tmp_path, "libmimalloc.so.2")
    assert allocator({"LD_PRELOAD": chosen}, [tmp_path]) == {}


def test_no_other_system_is_touched(tmp_path, monkeypatch):
    library(tmp_path, "libmimalloc.so.2")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert allocator({}, [tmp_path]) == {}


@pytest.fixture
def preloaded(tmp_path, monkeypatch):
    """A library that every process can load, in an allocator's place."""
    maps = Path("/proc/self/maps").read_text().split()
    real = next(Path(word) for word in maps if Path(word).name.startswith(("libm.so", "libm-")))
    monkeypatch.delenv("LD_PRELOAD", raising=False)
    file = tmp_path / f"lib{FASTEST_FIRST[0]}.so.4"
    shutil.copyfile(real, file)
    monkeypatch.setattr(local, "allocator", lambda: allocator({}, [tmp_path]))
    return file


def mapped(pid):
    return Path(f"/proc/{pid}/maps").read_text()


@pytest.mark.slow
def test_the_warm_parent_and_its_trials_have_it_and_what_they_start_has_not(preloaded, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import os, subprocess\n"
        f"print({preloaded.name!r} in open('/proc/self/maps').read())\n"
        "print(subprocess.run(['env'], capture_output=True, text=True).stdout)\n"
    )
    command = (sys.executable, str(script))
    backend = LocalBackend(None, tmp_path / "server.log", command, str(tmp_path))
    job = Job(0, 1, {}, seed=0, train=TrainSettings(), command=command, objectives=("rmse",))
    try:
        backend.open()
        assert str(preloaded) in mapped(backend.server_pid)
        backend.start(job, TrialDir(tmp_path / "0"))
        assert any(isinstance(message, Ended) for _ in range(240) for message in backend.wait(0.5))
    finally:
        backend.close()
    log = (tmp_path / "0" / "log.txt").read_text()
    assert "\nTrue\n" in log
    assert "PATH=" in log and "LD_PRELOAD" not in log and "TCMALLOC" not in log


@pytest.mark.slow
def test_a_warm_parent_that_dies_of_it_is_started_without(preloaded, tmp_path, monkeypatch):
    given, original = [], local.start_server

    def start(module, log_file, folder="", own=None):
        given.append(own)
        process, channel = original(module, log_file, folder, own)
        if own:
            process.send_signal(signal.SIGSEGV)
        return process, channel

    monkeypatch.setattr(local, "start_server", start)
    backend = LocalBackend(ModelRef("tuner.testing.tiny_model"), tmp_path / "server.log")
    try:
        backend.open()
        assert given[1:] == [{}] and given[0]["LD_PRELOAD"] == str(preloaded)
        assert str(preloaded) not in mapped(backend.server_pid)
    finally:
        backend.close()


def test_a_real_one_is_found_where_the_machine_has_it():
    """With Debian's libtcmalloc-minimal4, say, as CI has it; it then allocates."""
    found = allocator({})
    if not found:
        pytest.skip("a faster allocator is not tested: apt-get install libtcmalloc-minimal4")
    code = "import ctypes; print(ctypes.CDLL(None).malloc and open('/proc/self/maps').read())"
    done = subprocess.run([sys.executable, "-c", code], env=found, capture_output=True, text=True, check=True)
    assert Path(found["LD_PRELOAD"]).resolve().name in done.stdout
