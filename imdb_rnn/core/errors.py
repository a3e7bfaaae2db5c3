"""What a user sees when something is wrong: one line, and an exit status that stops the pipeline."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class UserError(Exception):
    """A fault that the user can mend. Its text says what is wrong, where, and what to do."""


def run_command(main: Callable[[], None]) -> None:
    """Run a command's `main`; leave the process if it fails.

    A `UserError` is printed to stderr, one line for each of its lines, and ends with status 1; Ctrl-C ends with
    status 130, so that DVC never takes a half-done stage for a finished one. Anything else is a bug of ours and keeps
    its traceback.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    try:
        main()
    except UserError as error:
        for line in str(error).splitlines():
            print(f"error: {line}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("\ninterrupted: run the same command again; what is finished is kept", file=sys.stderr)
        sys.exit(130)


@contextmanager
def holding_interrupts() -> Iterator[Callable[[], None]]:
    """Hold Ctrl-C back, and give a function that raises `KeyboardInterrupt` if it was pressed.

    Python raises in whatever the main thread runs, TensorFlow's C++ among it, which was seen to end in a segmentation
    fault. Call the function between two calls of TensorFlow; it is called once more at the end. In any other thread
    there is nothing to hold back, since Python hands signals to the main thread alone.
    """
    pressed = False

    def note(*_: object) -> None:
        nonlocal pressed
        pressed = True

    def raise_if_pressed() -> None:
        if pressed:
            raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield raise_if_pressed
        return
    previous = signal.signal(signal.SIGINT, note)
    try:
        yield raise_if_pressed
        raise_if_pressed()
    finally:
        signal.signal(signal.SIGINT, previous)
