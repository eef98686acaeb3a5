"""What is read out of unittest's words, and what is said where the suite is not there. The suite itself is run by
hand: it wants a checkout, and namespaces of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tools import aws_crt_suite

SAID = """test_a (test.test_mqtt5.Mqtt5ClientTest.test_a) ... ok
test_b (test.test_mqtt5.Mqtt5ClientTest.test_b) ... skipped 'test requires env var: AWS_TEST_X'
test_c (test.test_mqtt5.Mqtt5ClientTest.test_c) ... skipped 'test requires env var: AWS_TEST_X'
test_d (test.test_mqtt5.Mqtt5ClientTest.test_d)
What it does. ... ok
test_e (test.test_mqtt5.Mqtt5ClientTest.test_e) ... a word of the test's own
ERROR
test_f (test.test_mqtt5.Mqtt5ClientTest.test_f) ... FAIL

======================================================================
ERROR: test_e (test.test_mqtt5.Mqtt5ClientTest.test_e)
"""


def test_each_skip_is_counted_with_its_variable() -> None:
    found = aws_crt_suite.counted("test.test_mqtt5", SAID)
    assert (found.passed, found.failed) == (2, ("test_e", "test_f"))
    assert found.skipped == {"test requires env var: AWS_TEST_X": 2}
    lines = aws_crt_suite.lines(found)
    assert lines.startswith("test.test_mqtt5: 2 passed, 2 failed, 2 skipped\n  failed: test_e\n")


def test_a_folder_that_is_no_checkout_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["aws_crt_suite", str(tmp_path)])
    assert aws_crt_suite.main() == aws_crt_suite.NOT_RUN
    assert "holds no test/test_mqtt5.py; name a checkout of aws-crt-python" in capsys.readouterr().out
