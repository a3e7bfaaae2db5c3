"""What a user sees when something is wrong: one line, and an exit status that stops the pipeline."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class UserError(Exception):
    """A fault that the user can mend. Its text says what is wrong, where, and what to do."""


AT_THE_END: list[Callable[[], None]] = []  # what `run` calls when the stage's work is done


def run(main: Callable[[], None]) -> None:
    """Run a stage's `main` and leave the process.

    A `UserError` is printed to stderr, one line for each of its lines, and ends with status 1; Ctrl-C ends with
    status 130, so that DVC never takes a half-done stage for a finished one. Anything else is a bug of ours and keeps
    its traceback.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        main()
        for check in AT_THE_END:
            check()
    except UserError as error:
        for line in str(error).splitlines():
            print(f"error: {line}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print(
            "\ninterrupted: `dvc repro` goes on; `make compare` keeps its finished runs and starts this one again",
            file=sys.stderr,
        )
        sys.exit(130)


@contextmanager
def holding_interrupts() -> Iterator[Callable[[], None]]:
    """Hold Ctrl-C back, and give a function that raises `KeyboardInterrupt` if it was pressed.

    Python raises in whatever the main thread runs, TensorFlow's C++ among it, which was seen to end in a segmentation
    fault. Call the function between two calls of TensorFlow; it is called once more at the end.
    """
    pressed = False

    def note(*_: object) -> None:
        nonlocal pressed
        pressed = True

    def check() -> None:
        if pressed:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, note)
    try:
        yield check
        check()
    finally:
        signal.signal(signal.SIGINT, before)
