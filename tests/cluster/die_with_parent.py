"""Runs a program that the kernel kills when the process that started it is gone, however that ended.

Usage: python die_with_parent.py PARENT_PID PROGRAM [ARGUMENT...]. A program of its own, because
code between the fork and the exec of a parent with threads may dead-lock; the setting outlives the
exec (prctl(2)).
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, *command = sys.argv[1:]
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != int(parent):
        sys.exit("The parent has ended already.")
    os.execv(command[0], command)  # noqa: S606  # replacing this process is its purpose; the caller names the program


if __name__ == "__main__":
    main()
