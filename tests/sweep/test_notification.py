"""Who is told that a sweep has ended."""

from pathlib import Path

from tests.sweep.simulated import simulated


def test_the_end_of_a_sweep_is_told_to_a_command_and_an_address(tmp_path):
    import json
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    posted = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self):
            posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.handle_request, daemon=True).start()
    out = tmp_path / "told.txt"
    command = f'echo "$TUNER_STATE $TUNER_SWEEP $TUNER_TRIALS: $TUNER_TEXT" > {out}'
    url = f"http://127.0.0.1:{server.server_port}/hook"
    sweep = simulated(tmp_path, f"notify: {{command: {json.dumps(command)}, url: '{url}'}}\n")
    result = sweep.run(backend="simulated")
    server.server_close()
    text = f"sweep sim finished: 2 of 2 trials; best: trial {result.best.number}, rmse {result.best.value:.6g}"
    assert out.read_text() == f"finished sim 2: {text}\n"
    (told,) = posted
    assert (told["text"], told["state"], told["best"]["trial"]) == (text, "finished", result.best.number)


def test_who_cannot_be_told_is_a_line_and_an_address_in_the_environment_is_not_written_down(tmp_path, monkeypatch):
    from tuner.driver.progress import NullDisplay

    class Lines(NullDisplay):
        def __init__(self):
            self.lines = []

        def line(self, line):
            self.lines.append(line)

    monkeypatch.setenv("MY_HOOK", "http://127.0.0.1:9/secret")
    sweep, display = simulated(tmp_path, "notify: {command: 'echo no >&2; exit 3', url: $MY_HOOK}\n"), Lines()
    sweep.run(backend="simulated", display=display)
    assert "notify.command failed: status 3: no" in display.lines
    assert any(line.startswith("notify.url failed: URLError") for line in display.lines)
    for file in Path(tmp_path, "mlruns").rglob("*"):
        assert not file.is_file() or b"secret" not in file.read_bytes()
