"""Work that waits in the middle while its caller goes on."""

import pytest

from tuner.estimator.suspended import Suspended


def test_the_caller_goes_on_in_the_middle_of_the_work_and_never_beside_it():
    said = []

    def work():
        said.append("begins")
        suspended.suspend()
        said.append("goes on")
        suspended.suspend()
        said.append("ends")

    suspended = Suspended(work)
    assert suspended.start()
    said.append("caller")
    suspended.finish()
    said.append("caller again")
    assert said == ["begins", "caller", "goes on", "ends", "caller again"]


def test_work_that_does_not_wait_is_done_at_once():
    assert not Suspended(lambda: None).start()


@pytest.mark.parametrize("waits", [False, True])
def test_what_the_work_raises_is_raised_where_it_is_waited_for(waits):
    def work():
        if waits:
            suspended.suspend()
        raise KeyError("rate")

    suspended = Suspended(work)
    with pytest.raises(KeyError, match="rate"):
        suspended.start()
        suspended.finish()
