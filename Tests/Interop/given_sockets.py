"""Starts a program as systemd does that has opened sockets for it: prints the port of the first, and becomes the program.

    given_sockets.py NAMES PATH PROGRAM ARGUMENT...

NAMES are those of the sockets, with a colon between them. The second one is a Unix socket at PATH.
"""

import os
import socket
import sys

names, path, *command = sys.argv[1:]
first = socket.create_server(("127.0.0.1", 0))
second = socket.socket(socket.AF_UNIX)
second.bind(path)
second.listen()
print(first.getsockname()[1], flush=True)
# Away from where they are to be.
copies = [os.dup(each.fileno()) for each in (first, second)]
raised = [os.dup2(copy, 100 + index, inheritable=True) for index, copy in enumerate(copies)]
for index, descriptor in enumerate(raised):
    os.dup2(descriptor, 3 + index, inheritable=True)
os.closerange(5, 256)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="2", LISTEN_FDNAMES=names)
os.execv(command[0], command)
