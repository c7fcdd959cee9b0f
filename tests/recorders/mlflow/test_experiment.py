"""What the experiment of a sweep says."""

from tests.recorders.mlflow.sending import OPENED, write


def test_the_experiment_names_its_primary_metric(sweep_dir, client):
    write(sweep_dir, [OPENED])
    tags = client.get_experiment_by_name("sweep").tags
    assert tags["mlflow.experiment.primaryMetric.name"] == "objective"
    assert tags["mlflow.experiment.primaryMetric.greaterIsBetter"] == "false"


def test_a_description_that_somebody_wrote_for_the_experiment_stays(sweep_dir, client):
    write(sweep_dir, [OPENED])
    experiment = client.get_experiment_by_name("sweep").experiment_id
    client.set_experiment_tag(experiment, "mlflow.note.content", "mine")
    write(sweep_dir, [OPENED])
    assert client.get_experiment(experiment).tags["mlflow.note.content"] == "mine"
