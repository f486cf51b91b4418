"""The kernel's tests of conf press Enter as fast as they can, until the program has ended. Whoever starts slower than a
pipe is filled makes them wait in the middle of writing, and fail when it ends; so the pipes get more room."""

import subprocess

_init = subprocess.Popen.__init__


def _roomy(self, *args, **kwargs):
    kwargs.setdefault("pipesize", 1 << 20)
    _init(self, *args, **kwargs)


subprocess.Popen.__init__ = _roomy
