"""What a user sees when something is wrong: one line, and an exit status that stops the pipeline."""

import gc
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# With Python's own number, 700 or 2,000, imports take a tenth longer, though none of their objects is garbage.
OBJECTS_BETWEEN_COLLECTIONS = 100_000


class UserError(Exception):
    """An error that the user can fix. Its text says what is wrong, where, and what to do."""


def run_command(main: Callable[[], None]) -> None:
    """Run a command's `main`, and exit if it fails.

    A `UserError` is printed to stderr, with `error: ` before each of its lines; the status is 1. Ctrl-C exits with
    status 130, so that DVC does not commit the outs of a half-done stage. Any other exception is a bug of ours and
    keeps its traceback.
    """
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    try:
        main()
    except UserError as error:
        for line in str(error).splitlines():
            print(f"error: {line}", file=sys.stderr)
        sys.exit(1)
    except (KeyboardInterrupt, ImportError) as error:
        if not _is_interrupt(error):
            raise
        print("\ninterrupted: run the same command again; what is finished is kept", file=sys.stderr)
        sys.exit(130)


def _is_interrupt(error: BaseException | None) -> bool:
    """Whether it is Ctrl-C, or came of it: Numba, while it is imported, takes that for a part that is missing."""
    while error and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


@contextmanager
def holding_interrupts() -> Iterator[Callable[[], None]]:
    """Defer Ctrl-C, and yield a function that raises `KeyboardInterrupt` if it was pressed.

    Python raises it wherever the main thread is; within TensorFlow's C++ that has ended in a segmentation fault. Call
    the function between two calls of TensorFlow; it is called once more at the end. In other threads nothing is
    deferred, because Python delivers signals to the main thread only.
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
