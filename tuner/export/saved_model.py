"""Write a trial's SavedModel, and what its check needs, in a process of its own with TensorFlow.

Runs as ``python -m tuner.export.saved_model STAGE``, or forked from the fork server, which has TensorFlow and the model
already. It imports what it lacks at once; a line on standard input says that the order is there, its end that there
will be none. STAGE/order.json and a copy of the checkpoint in
STAGE/trial come in; STAGE/saved_model, STAGE/model (for MLflow), STAGE/rows.json and STAGE/done.json
go out, or STAGE/fault.json with a message.
"""

from __future__ import annotations

import json
import math
import os
import sys
import traceback
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

from tuner.domain.job import Job
from tuner.errors import InvalidInput, Problem, TunerError
from tuner.export.held_out_rows import Rows, held_out
from tuner.export.mlflow_model import import_mlflow, pack
from tuner.export.parity_check import LOG_FILE, MLFLOW_MODEL, ROWS_FILE, SAVED_MODEL, encode
from tuner.export.receiver_feed import Unfed, feed, same_features
from tuner.export.serving_spec import Serving
from tuner.export.signature import Signature, TensorShape
from tuner.model import Specs, UserModel, load_model
from tuner.model.error_text import one_line
from tuner.processes import end_with_input, ignore_signals, log_to
from tuner.trial.run import build, seed_everything

TOLERANCE = 1e-5
SAME = 1e-4  # what two evaluations of one model may differ by, relatively: threads add up in another order
PREFERRED = ("serving_default", "predict")  # what is served, as in served_model.py


@dataclass
class Seen:
    """What was seen while the serving graph was built.

    Attributes:
        serving: What a server is given.
        predictions: The Estimator's name of a prediction to the name of its tensor.
        outputs: Names of the model's export_outputs.
    """

    serving: Serving
    predictions: Mapping[Hashable, str]
    outputs: Sequence[str]


def save(stage: Path) -> dict[str, Any]:
    """Export the trial that the order in ``stage`` names; return what there is to say of it.

    Raises:
        InvalidInput: The model cannot be exported.
    """
    order = json.loads((stage / "order.json").read_text(encoding="utf-8"))
    job = replace(Job.read(stage / "job.json"), task=None)  # whatever trained it, this process is alone
    assert job.model is not None
    model = load_model(job.model)
    seed_everything(job.seed)
    estimator, specs = build(model, job, stage / "trial")
    if model.function("serving_input_receiver_fn") is None:
        raise InvalidInput(f"model {model.ref}", _how_to_write_one(estimator, specs))
    checkpoint = str(stage / "trial" / f"model.ckpt-{order['step']}")
    notes = _check_recorded(model, job, order, lambda: _evaluated(estimator, specs, checkpoint))
    seen = _export(model, job, estimator, checkpoint, stage)
    signatures = signatures_of(stage / SAVED_MODEL, seen.serving.names, set(seen.predictions.values()))
    served = next((name for name in PREFERRED if name in signatures), min(signatures, default=""))
    if not served:
        raise InvalidInput(f"model {model.ref}", _no_signature(seen))
    rows, inputs, why = _rows(estimator, specs, seen.serving)
    predictions = {
        seen.predictions[name]: values for name, values in rows.predictions.items() if name in seen.predictions
    }
    feeds = signatures[served].feeds
    given = {name: inputs[feed] for name, feed in feeds.items() if feed in inputs}
    packed = pack(
        stage / MLFLOW_MODEL,
        stage / SAVED_MODEL,
        signatures[served],
        given if len(given) == len(feeds) else {},
        {name for name, feed in feeds.items() if feed is not None and seen.serving.receivers[feed].examples},
        order["metadata"],
    )
    told = {
        "inputs": {name: encode(values) for name, values in inputs.items()},
        "predictions": {name: encode(values) for name, values in predictions.items()},
        "signatures": {
            name: {
                "inputs": signature.feeds,
                "outputs": {
                    key: tensor if tensor in predictions else None for key, tensor in signature.predictions.items()
                },
            }
            for name, signature in signatures.items()
        },
        "served": served,
        "tolerance": TOLERANCE,
    }
    (stage / ROWS_FILE).write_text(json.dumps(told), encoding="utf-8")
    notes += [packed] if packed else []
    return {"signatures": sorted(signatures), "served": served, "unfed": why, "notes": notes}


def _check_recorded(
    model: UserModel, job: Job, order: Mapping[str, Any], evaluated: Callable[[], Mapping[str, float]]
) -> list[str]:
    """Evaluate a checkpoint again if the model's text is not the one that trained it; return what is to be said of it.

    Raises:
        InvalidInput: It comes to something else, so the export would be of another model than the recorded one.
    """
    if "recorded" not in order:
        return []
    found = evaluated()
    for metric, recorded in order["recorded"].items():
        again = float(found.get(metric, math.nan))
        if not math.isclose(again, recorded, rel_tol=SAME, abs_tol=SAME):
            what = f"its text was changed since trial {job.trial} was trained, and by what it is now the checkpoint of"
            hint = "put back the text by which it was trained; what is to be tried with the new one is another sweep"
            comes = f"{what} step {order['step']} comes to {metric} {again:.6g}, recorded is {recorded:.6g}"
            raise InvalidInput(f"model {model.ref}", [Problem("", comes, hint)])
    return ["the model's text was changed since the trial was trained; its checkpoint evaluates to what was recorded"]


def _evaluated(estimator: Any, specs: Specs, checkpoint: str) -> Mapping[str, float]:
    found: Mapping[str, float] = estimator.evaluate(
        specs.eval.input_fn, steps=specs.eval.steps, hooks=specs.eval.hooks, checkpoint_path=checkpoint
    )
    return found


def _export(model: UserModel, job: Job, estimator: Any, checkpoint: str, stage: Path) -> Seen:
    """Write the SavedModel of a checkpoint and look at the graph meanwhile."""
    receiver_fn = model.bound("serving_input_receiver_fn", job.params)
    received: list[Serving] = []
    built: list[Any] = []

    def receiving() -> Any:
        receiver = receiver_fn()
        received.append(Serving(receiver, estimator.config.session_config))
        return receiver

    build_graph: Callable[..., Any] = estimator._call_model_fn

    def building(features: Any, labels: Any, mode: str, config: Any) -> Any:
        built.append(build_graph(features, labels, mode, config))
        return built[-1]

    estimator._call_model_fn = building
    estimator._export_to_tpu = False  # a TPUEstimator adds a second graph, and then nobody loads it without tags
    try:
        made = estimator.export_saved_model(
            str(stage / "exported"),
            receiving,
            assets_extra={"tuner.json": str(stage / "export.json")},
            checkpoint_path=checkpoint,
        )
    finally:
        estimator._call_model_fn = build_graph
    Path(made.decode() if isinstance(made, bytes) else made).rename(stage / SAVED_MODEL)
    spec = built[-1]
    found = spec.predictions if isinstance(spec.predictions, Mapping) else {"output": spec.predictions}
    predictions = {name: tensor.name for name, tensor in found.items() if hasattr(tensor, "name")}
    return Seen(received[-1], predictions, sorted(spec.export_outputs or {}))


def signatures_of(
    saved_model: Path, receivers: Mapping[str, str], predictions: Collection[str]
) -> dict[str, Signature]:
    """Return the signatures that a SavedModel has.

    Args:
        saved_model: Its folder.
        receivers: Name of a tensor to what serving_input_receiver_fn calls it.
        predictions: Names of tensors that are predictions of the Estimator.

    Raises:
        OSError: It is none.
    """
    from tensorflow.python.saved_model import loader_impl

    found: dict[str, Signature] = {}
    for graph in loader_impl.parse_saved_model(str(saved_model)).meta_graphs:
        for name, signature in graph.signature_def.items():
            if not name.startswith("__"):
                found[name] = Signature(
                    {key: _described(info) for key, info in signature.inputs.items()},
                    {key: _described(info) for key, info in signature.outputs.items()},
                    {key: receivers.get(info.name) for key, info in signature.inputs.items()},
                    {key: info.name if info.name in predictions else None for key, info in signature.outputs.items()},
                )
    return found


def _described(info: Any) -> TensorShape:
    """Return type and shape of a tensor of a signature."""
    import tensorflow as tf

    sizes = [None if dim.size < 0 else int(dim.size) for dim in info.tensor_shape.dim]
    shape = None if info.tensor_shape.unknown_rank else tuple(sizes)
    return TensorShape(tf.as_dtype(info.dtype).name, shape, info.WhichOneof("encoding") != "name")


def _rows(estimator: Any, specs: Specs, serving: Serving) -> tuple[Rows, dict[str, Any], str]:
    """Return held-out rows with the Estimator's predictions, what a server is given for them, and an empty string.

    Or no rows, nothing, and why: the model is exported nevertheless.
    """
    try:
        rows = held_out(estimator, specs.eval.input_fn)
        if not rows.features:
            raise Unfed("the evaluation's input has no rows")
        inputs = feed(serving.receivers, rows.features)
        same_features(rows.features, serving.features_of(inputs), TOLERANCE)
    except Unfed as error:
        return Rows({}, {}), {}, str(error)
    except Exception as error:  # the user's input function, or what TensorFlow says of what it was fed
        traceback.print_exc()
        return Rows({}, {}), {}, one_line(error)
    count = len(next(iter(inputs.values())))
    predictions = {name: values[:count] for name, values in rows.predictions.items()}
    return Rows(rows.features, predictions), inputs, ""


def _no_signature(seen: Seen) -> str:
    """Return what is missing if an export has no signature."""
    if not seen.outputs:
        return (
            "exports no signature, expected export_outputs in the EstimatorSpec of PREDICT: "
            '{"serving_default": tf.estimator.export.PredictOutput(predictions)}'
        )
    takes = ", ".join(f"{name} ({one.tensor.dtype})" for name, one in seen.serving.receivers.items())
    return (
        f"exports no signature: {', '.join(seen.outputs)} of its export_outputs classify or regress, which takes "
        f"serialised Examples alone, and its serving_input_receiver_fn takes {takes}; expected a PredictOutput "
        "among them, or tf.estimator.export.build_parsing_serving_input_receiver_fn(feature_spec)()"
    )


def _how_to_write_one(estimator: Any, specs: Specs) -> str:
    """Return what is missing, and the function that this model's evaluation input calls for."""
    import tensorflow as tf

    receiver, taken = "ServingInputReceiver", "features"
    lines = ['x = tf.compat.v1.placeholder(tf.float32, [None, 4], "x")', 'features = {"x": x}']
    with tf.Graph().as_default():
        found = estimator._call_input_fn(specs.eval.input_fn, tf.estimator.ModeKeys.EVAL)
        if isinstance(found, tf.data.Dataset):
            features = found.element_spec[0] if isinstance(found.element_spec, tuple) else found.element_spec
            if isinstance(features, Mapping) and all(isinstance(s, tf.TensorSpec) for s in features.values()):
                lines = ["features = {"]
                for name, spec in features.items():
                    shape = [None, *spec.shape.as_list()[1:]]
                    lines.append(f'    "{name}": tf.compat.v1.placeholder(tf.{spec.dtype.name}, {shape}, "{name}"),')
                lines.append("}")
            elif isinstance(features, tf.TensorSpec):
                receiver = "TensorServingInputReceiver"
                shape = [None, *features.shape.as_list()[1:]]
                lines = [f'features = tf.compat.v1.placeholder(tf.{features.dtype.name}, {shape}, "x")']
                taken = '{"x": features}'
    code = [
        "def serving_input_receiver_fn():",
        *(f"    {line}" for line in lines),
        f"    return tf.estimator.export.{receiver}(features, {taken})",
    ]
    wanted = "has no serving_input_receiver_fn, expected one that says what a server is given, for instance:"
    return "\n".join([wanted, *(f"    {line}" for line in code)])


def main() -> None:
    """Import, wait for the word that there is an order, export, and leave what came of it in the stage."""
    from tuner.forkserver.preload import preload_model

    ignore_signals()
    preload_model(None)
    import_mlflow()
    save_when_told(Path(sys.argv[1]), save)


def main_forked(stage: str) -> None:
    """Do the same in a fork of the fork server; end if nobody waits for it any longer."""
    log_to(Path(stage, LOG_FILE))
    import_mlflow()
    save_when_told(Path(stage), save, watch=True)


def save_when_told(stage: Path, save: Callable[[Path], Mapping[str, Any]], watch: bool = False) -> NoReturn:
    """Wait for the word, export, and end the process without taking apart what is imported, which takes a second.

    Args:
        stage: Where the order is and the export goes.
        save: Makes it.
        watch: Whether the end of standard input ends the process meanwhile: nobody else does.
    """
    told = bool(os.read(0, 64))
    if told and watch:
        end_with_input()
    done = not told or saved(stage, save)  # nothing is to be exported, or whoever asks is gone
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(not done)


def saved(stage: Path, save: Callable[[Path], Mapping[str, Any]]) -> bool:
    """Export into ``stage`` and leave there what came of it; return whether it was exported."""
    try:
        done = save(stage)
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        ours = isinstance(error, TunerError)
        fault = {"message": one_line(error), "invalid": ours and isinstance(error, InvalidInput)}
        (stage / "fault.json").write_text(json.dumps(fault), encoding="utf-8")
        return False
    (stage / "done.json").write_text(json.dumps(done), encoding="utf-8")
    return True


if __name__ == "__main__":
    main()
