"""Passwords, tokens and keys as they may be shown: not at all."""

import subprocess
import sys

import pytest

from tuner.domain.job import Job
from tuner.domain.spec import TrainSettings
from tuner.files.paths import private_file
from tuner.hiding import Hiding, hidden, hidden_words, secrets_in


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgresql://me:s3cret@host:5432/db", "postgresql://me:***@host:5432/db"),
        ("postgresql+psycopg://me:s3cret@host/db#study", "postgresql+psycopg://me:***@host/db#study"),
        ("mysql://me:s3/cret#s3cret@host/db", "mysql://me:***@host/db"),
        ("mysql://me:s3cret@s3cret@host/db", "mysql://me:***@host/db"),
        ("redis://:s3cret@host", "redis://:***@host"),
        ("postgresql://host/db?user=me&password=s3cret&x=1#a", "postgresql://host/db?user=me&password=***&x=1#a"),
        ("https://host/a?X-Amz-Signature=s3cret&x=1", "https://host/a?X-Amz-Signature=***&x=1"),
        ("tuner run x --from http://me:s3cret@a/b --tag a@b=1", "tuner run x --from http://me:***@a/b --tag a@b=1"),
        ("postgresql://me@host:5432/db#a@b", "postgresql://me@host:5432/db#a@b"),
        ("train.py --api-key=s3cret --steps=5", "train.py --api-key=*** --steps=5"),
        ("train.py --apiKey s3cret --steps 5", "train.py --apiKey *** --steps 5"),
        ("env AWS_SECRET_ACCESS_KEY='s3 cret' python x.py", "env AWS_SECRET_ACCESS_KEY=*** python x.py"),
        ("{'password': 's3cret', 'user': 'me'}", "{'password': ***, 'user': 'me'}"),
        ("db_password: s3cret  # of the database", "db_password: ***  # of the database"),
        ("Authorization: Bearer abc.d3f-123", "Authorization: *** ***"),
        ("housing", "housing"),
        ("Key dense/kernel not found in checkpoint", "Key dense/kernel not found in checkpoint"),
        ("found 'x', expected KEY=VALUE", "found 'x', expected KEY=VALUE"),
        ("https://host/a?key=s3cret", "https://host/a?key=***"),
        ("unknown key: learning_rte", "unknown key: learning_rte"),
        ("argument --api-key: expected one argument", "argument --api-key: expected one argument"),
        ("--api-key is missing", "--api-key is missing"),
        ("token: {type: categorical, choices: [cls, mean]}", "token: {type: categorical, choices: [cls, mean]}"),
        ("--max-tokens=512 --key=3 --use-token=true", "--max-tokens=512 --key=3 --use-token=true"),
        ("a basic understanding", "a basic understanding"),
    ],
)
def test_a_secret_is_never_shown_and_nothing_else_is_hidden(text, expected):
    assert hidden(text) == expected
    assert hidden(expected) == expected


def test_the_words_of_a_command_are_hidden_by_the_flag_in_front_of_them():
    words = ("python", "t.py", "--token", "swordfish", "--api-key=k3y", "--key={key}", "--flag", "a", "pg://u:p@h/d")
    shown = ("python", "t.py", "--token", "***", "--api-key=***", "--key={key}", "--flag", "a", "pg://u:***@h/d")
    assert hidden_words(words) == shown
    assert secrets_in(words) == {"swordfish", "k3y", "p"}
    assert hidden_words(shown) == shown


def test_a_secret_that_is_known_is_hidden_wherever_it_stands_unless_it_may_be_a_word():
    hide = Hiding({"abcd1234efgh", "income"})
    assert hide("bad abcd1234efgh for income") == "bad *** for income"
    assert hide.values({"api_token": "x", "note": "abcd1234efgh"}) == {"api_token": "***", "note": "***"}


def test_what_of_a_job_is_secret_is_in_a_file_that_its_owner_alone_reads(tmp_path):
    job = Job(
        0, 1, {"api_key": "k3y", "rate": 0.5}, 0, TrainSettings(), command=("x", "--token=t0k"), secrets=("api_key",)
    )
    file = tmp_path / "job.json"
    job.write(file)
    assert "k3y" not in file.read_text()
    assert "t0k" not in file.read_text()
    assert private_file(file).stat().st_mode & 0o777 == 0o600
    assert Job.read(file) == job
    Job(0, 2, {"rate": 0.5}, 0, TrainSettings()).write(file)
    assert not private_file(file).exists()


@pytest.mark.skipif(sys.platform != "linux", reason="what ps shows is written over on Linux")
def test_the_process_list_shows_no_secret_of_the_command_line():
    code = (
        "import sys\nfrom tuner.cli.arguments import hide_arguments\nhide_arguments()\n"
        "print(open('/proc/self/cmdline').read().split(chr(0))); print(sys.argv)"
    )
    words = ["--storage", "postgresql://me:s3cret@host/db", "--", "t.py", "--api-key=k3yk3y", "é"]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=60)
    seen, argv = done.stdout.splitlines()
    assert "s3cret" not in seen
    assert "k3yk3y" not in seen
    assert "postgresql://me:***@host/db" in seen
    assert "'é'" in seen
    assert argv == str(["-c", *words])
