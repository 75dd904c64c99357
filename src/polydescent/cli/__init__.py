"""The polydescent command. Its entry point loads nothing before Ctrl-C is in good hands."""

from __future__ import annotations

import _thread
import atexit
import gc
import signal
import sys
import time
from types import FrameType
from typing import Any

STOPPED = 130  # the exit code that Ctrl-C has for a shell
GOODBYE = "Stopped. No file was left half written."
_PLENTY = 100_000  # objects to make before garbage is looked for: more than imports make
_SOON = 0.01  # seconds until Ctrl-C comes again where it cannot be obeyed
_pressed: list[int] = []
_waiting: list[int] = []


def main() -> None:
    """The entry point: whatever goes wrong is one line on standard error and an exit code.

    0: done. 1: a fault of ours, or the reader went away. 2: refused. 130: stopped by Ctrl-C.
    """
    _pressed.clear()
    before = signal.getsignal(signal.SIGINT)
    ours = before is signal.default_int_handler  # under nohup, say, Ctrl-C is to be ignored
    hook, often = sys.unraisablehook, gc.get_threshold()
    gc.set_threshold(_PLENTY, *often[1:])
    atexit.register(gc.freeze)  # what is left goes with the process: 0.1 s of looking for garbage
    if ours:
        signal.signal(signal.SIGINT, _stop)
        sys.unraisablehook = _ignored
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
        gc.set_threshold(*often)
        if ours:
            _waiting.clear()
            sys.unraisablehook = hook
            atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)  # all is done by then
            signal.signal(signal.SIGINT, before)
    sys.exit(code)


def stopped() -> bool:
    """Whether Ctrl-C was pressed. An import in C, or a library, may make another error of it."""
    return bool(_pressed)


def _stop(number: int, frame: FrameType | None) -> None:
    """Stop now, or after the import that is under way: within one, Python and libraries written in
    C drop a KeyboardInterrupt or make another error of it, and a module half made stays.
    """
    _pressed.append(number)
    if _is_importing(frame):
        _again_soon()
    else:
        raise KeyboardInterrupt


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def _ignored(unraisable: Any) -> None:
    """Python goes on after an error in a callback or a finalizer: Ctrl-C must not end there."""
    if issubclass(unraisable.exc_type, KeyboardInterrupt):
        _again_soon()
    else:
        sys.__unraisablehook__(unraisable)


def _again_soon() -> None:
    if not _waiting:
        _waiting.append(signal.SIGINT)
        _thread.start_new_thread(_again, (_thread.get_ident(),))  # Python's signals: the main one


def _again(main_thread: int) -> None:
    time.sleep(_SOON)
    if not _waiting:
        return  # the command has ended
    _waiting.clear()
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(main_thread, signal.SIGINT)  # also where it waits in a system call
    else:
        _thread.interrupt_main()
