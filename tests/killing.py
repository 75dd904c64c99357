"""A process that is killed at a moment of its writing, and what is left of its work then."""

from __future__ import annotations

import os
import signal
from functools import partial


def _kill_at(moment):
    """Let this process die at the so many-th moment at which a file system call begins or ends."""
    left = [moment]

    def mortal(call):
        def wrapped(*arguments, **named):
            for after in (False, True):
                if left[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                left[0] -= 1
                if not after:
                    result = call(*arguments, **named)
            return result

        return wrapped

    for name in ("fsync", "replace", "unlink"):
        setattr(os, name, mortal(getattr(os, name)))


def _in_child(work):
    """Run `work` in a fork; True if it was not killed."""
    child = os.fork()
    if not child:
        work()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def killed_everywhere(path, work, found):
    """What `found` tells of a folder after `work` was killed at every moment of writing and then
    done again, beside what it tells where nobody disturbs it. path: the file that work changes.
    """
    base = path.read_bytes()

    def go(moment=None):
        if moment is not None:
            _kill_at(moment)
        work()

    assert _in_child(go)
    undisturbed, bits, moment = found(), [], 0
    while True:
        path.write_bytes(base)
        if _in_child(partial(go, moment)):
            break
        assert _in_child(go)
        bits.append(found())
        moment += 1
    return {"kills": moment, "undisturbed": undisturbed, "bits": bits}
