"""How many trials a node has room for."""

from tuner.backends.ray.connection import Request


def test_a_node_has_room_for_as_many_trials_as_its_scarcest_resource_allows():
    request = Request(cpus=2, gpus=0.5, custom={"big": 1})
    assert request.room({"CPU": 16, "GPU": 2, "big": 3}) == 3
    assert request.room({"CPU": 16, "GPU": 1, "big": 3}) == 2
    assert request.room({"CPU": 16, "big": 3}) == 0
    assert Request(cpus=0.1).room({"CPU": 1}) == 10
