"""Runs a program on a pseudo-terminal: pty_bridge.py ROWS COLUMNS PROGRAM ARGUMENT...

What the program writes goes to stdout as it is. Lines on stdin say what to do: "type HEX", "size ROWS COLUMNS", "kill SIGNAL".
The exit status is the program's, or 128 and the signal that ended it. The last word on stderr is the mode in which it left the
terminal, cooked or raw."""

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios

rows, columns = int(sys.argv[1]), int(sys.argv[2])
pid, terminal = pty.fork()
if pid == 0:
    # The size is there before the program asks for it.
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    os.execvp(sys.argv[3], sys.argv[3:])

orders = b""
sources = [0, terminal]
while terminal in sources:
    for source in select.select(sources, [], [])[0]:
        try:
            data = os.read(source, 65536)
        except OSError:
            data = b""
        if not data:
            sources.remove(source)
        elif source == terminal:
            os.write(1, data)
        else:
            orders += data
            while b"\n" in orders:
                order, orders = orders.split(b"\n", 1)
                word, *rest = order.decode().split(" ")
                if word == "type":
                    os.write(terminal, bytes.fromhex(rest[0]))
                elif word == "size":
                    size = struct.pack("HHHH", int(rest[0]), int(rest[1]), 0, 0)
                    fcntl.ioctl(terminal, termios.TIOCSWINSZ, size)
                else:
                    os.kill(pid, getattr(signal, rest[0]))

_, status = os.waitpid(pid, 0)
cooked = termios.ICANON | termios.ECHO | termios.ISIG
sys.stderr.write("cooked" if termios.tcgetattr(terminal)[3] & cooked == cooked else "raw")
sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))
