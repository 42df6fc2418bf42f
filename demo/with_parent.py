"""Runs a program that ends with the one that started it, however that ended (on Linux; elsewhere it is only run).

Usage: python with_parent.py PARENT_PID PROGRAM [ARGUMENT...]. The setting outlives the exec (prctl(2)).
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, *command = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != int(parent):
            sys.exit("The demo has ended already.")
    os.execv(command[0], command)  # noqa: S606 - replacing this process is its purpose; the demo names the program


if __name__ == "__main__":
    main()
