"""The kernel's tests of conf press Enter as fast as they can, until the program has ended: one that ends in the middle of a
key makes them fail, and that is the likelier the longer it takes to start and to end. A key that nobody takes any more is no
failure."""

import subprocess

_init = subprocess.Popen.__init__


class _Keys:
    def __init__(self, pipe):
        self._pipe = pipe

    def write(self, keys):
        try:
            self._pipe.write(keys)
        except BrokenPipeError:
            pass

    def __getattr__(self, name):
        return getattr(self._pipe, name)


def _patient(self, *args, **kwargs):
    # Without a buffer, whose rest could only be lost when it is closed.
    _init(self, *args, **{**kwargs, "bufsize": 0})
    if self.stdin is not None:
        self.stdin = _Keys(self.stdin)


subprocess.Popen.__init__ = _patient
