"""The polydescent command. Its entry point loads nothing before Ctrl-C is in good hands."""

from __future__ import annotations

import atexit
import signal
import sys

STOPPED = 130  # the exit code that Ctrl-C has for a shell
GOODBYE = "Stopped. No file was left half written."
_pressed: list[int] = []


def main() -> None:
    """The entry point: whatever goes wrong is one line on standard error and an exit code.

    0: done. 1: a fault of ours, or the reader went away. 2: refused. 130: stopped by Ctrl-C.
    """
    _pressed.clear()
    before = signal.getsignal(signal.SIGINT)
    ours = before is signal.default_int_handler  # under nohup, say, Ctrl-C is to be ignored
    if ours:
        signal.signal(signal.SIGINT, _stop)
    try:
        from polydescent.cli.door import outcome

        code = outcome(sys.argv[1:])
    except BaseException:
        if not _pressed:
            raise
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        code = STOPPED
        if sys.stderr is not None:
            sys.stderr.write(f"polydescent: {GOODBYE}\n")
    finally:
        if _pressed:
            # CPython dies of a Ctrl-C that came while code in a string ran, as it does where a
            # dataclass is made, however it was answered; until code in a string ends well.
            exec("")
        if ours:
            atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)  # all is done by then
            signal.signal(signal.SIGINT, before)
    sys.exit(code)


def stopped() -> bool:
    """Whether Ctrl-C was pressed. An import in C, or a library, may make another error of it."""
    return bool(_pressed)


def _stop(number: int, frame: object) -> None:
    _pressed.append(number)
    raise KeyboardInterrupt
