"""How a trial's process ends."""

import subprocess
import sys

import pytest

BEGIN = "import threading, time\nfrom concurrent.futures import ThreadPoolExecutor\nfrom tuner.forkserver.child import end_threads\n"


@pytest.mark.parametrize(
    ("leaves", "name"),
    [
        ("pool = ThreadPoolExecutor(2); pool.submit(int)", ""),
        ("threading.Thread(target=time.sleep, args=(0.1,), name='short').start()", ""),
        ("threading.Thread(target=time.sleep, args=(60,), name='long', daemon=True).start()", ""),
        ("[threading.Thread(target=time.sleep, args=(60,), name='long').start() for _ in range(9)]", "long"),
    ],
)
def test_threads_that_end_are_waited_for_and_one_that_does_not_is_named(leaves, name):
    code = f"{BEGIN}{leaves}\nprint(end_threads(0.5), flush=True)\nimport os; os._exit(0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50, check=True)
    assert done.stdout.strip() == name
