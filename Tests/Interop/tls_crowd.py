"""Opens connections over TLS, has one answer on each, says "held", and closes them all at a line of the input.

    tls_crowd.py PORT AUTHORITY COUNT
"""

import socket
import ssl
import sys

port, authority, count = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
context = ssl.create_default_context(cafile=authority)
connections = []
for _ in range(count):
    connection = socket.create_connection(("127.0.0.1", port), timeout=60)
    connection = context.wrap_socket(connection, server_hostname="localhost")
    connection.sendall(b"GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n")
    connections.append(connection)
for connection in connections:
    if not connection.recv(4096).startswith(b"HTTP/1.1 200"):
        sys.exit("not served")
print("held", flush=True)
sys.stdin.readline()
