import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from material import ROOT

from imdb_rnn.core.errors import holding_interrupts


def run_main(body: str, **env) -> subprocess.CompletedProcess:
    script = f"""if True:
        from imdb_rnn.core.errors import UserError, run_command
        def main():
            {body}
        run_command(main)
    """
    return subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": str(ROOT)} | env,
        capture_output=True,
        timeout=30,
    )


def test_each_line_of_a_user_error_is_marked_as_one_and_the_status_is_1():
    result = run_main(r"raise UserError('x is missing\ny is missing')")
    assert (result.returncode, result.stderr.decode().splitlines()) == (
        1,
        ["error: x is missing", "error: y is missing"],
    )


def test_ctrl_c_is_not_taken_for_success():
    result = run_main("raise KeyboardInterrupt")
    assert result.returncode == 130
    assert b"run the same command again" in result.stderr
    assert b"Traceback" not in result.stderr


@pytest.mark.parametrize("cause", ["from error", "from None", ""])
def test_ctrl_c_that_a_package_takes_for_a_missing_part_is_still_ctrl_c(cause):
    body = f"""
            try:
                raise KeyboardInterrupt
            except KeyboardInterrupt as error:
                raise ImportError('a part is missing') {cause}
    """
    result = run_main(body)
    assert (result.returncode, b"Traceback" in result.stderr) == (130, False)
    result = run_main("raise ImportError('a part is missing')")
    assert (result.returncode, b"Traceback" in result.stderr) == (1, True)


def test_ctrl_c_held_back_is_raised_where_it_is_asked_for():
    before = signal.getsignal(signal.SIGINT)
    reached = False
    with pytest.raises(KeyboardInterrupt), holding_interrupts() as raise_if_pressed:
        raise_if_pressed()
        signal.raise_signal(signal.SIGINT)
        reached = True
        raise_if_pressed()
    assert reached
    with pytest.raises(KeyboardInterrupt), holding_interrupts():
        signal.raise_signal(signal.SIGINT)  # and nobody asks after it
    assert signal.getsignal(signal.SIGINT) is before


def test_in_another_thread_nothing_is_held_back_and_nothing_fails():
    """Python lets the main thread alone set a signal's handler, and raises ValueError in any other."""
    before = signal.getsignal(signal.SIGINT)

    def work() -> str:
        with holding_interrupts() as raise_if_pressed:
            assert signal.getsignal(signal.SIGINT) is before
            raise_if_pressed()
            return "done"

    with ThreadPoolExecutor(1) as other:
        assert other.submit(work).result(10) == "done"


def test_a_bug_of_ours_keeps_its_traceback():
    result = run_main("1 / 0")
    assert result.returncode == 1
    assert b"ZeroDivisionError" in result.stderr
    assert b"Traceback" in result.stderr


@pytest.mark.parametrize("locale", ["C", "POSIX", "en_US.ISO-8859-1"])
def test_chinese_is_printed_whatever_the_locale(locale):
    result = run_main(f"print({'测试准确率'!a})", LC_ALL=locale, PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert (result.returncode, result.stdout.decode().strip()) == (0, "测试准确率")
