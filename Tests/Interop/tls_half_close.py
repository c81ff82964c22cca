"""Sends a request over TLS, ends its half as TLS does (close_notify), or of the socket alone, and prints what it gets after that.

    tls_half_close.py PORT AUTHORITY TARGET [silent | unread | crowded | abrupt]

unread: at a line of the input ends its half, and reads nothing until it is killed. crowded: sends much behind the request, and at a line of the
input closes. abrupt: at a line of the input closes, with all unread.
"""

import socket
import ssl
import sys

port, authority, target = int(sys.argv[1]), sys.argv[2], sys.argv[3]
context = ssl.create_default_context(cafile=authority)
incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
session = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
connection = socket.create_connection(("127.0.0.1", port), timeout=30)


def step(action):
    while True:
        try:
            result = action()
        except ssl.SSLWantReadError:
            result = None
            if outgoing.pending:
                connection.sendall(outgoing.read())
            data = connection.recv(65536)
            if data:
                incoming.write(data)
            else:
                incoming.write_eof()
            continue
        if outgoing.pending:
            connection.sendall(outgoing.read())
        return result


step(session.do_handshake)
step(lambda: session.write(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode()))
if sys.argv[4:] == ["crowded"]:
    step(lambda: session.write(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n" + bytes(100_000)))
if sys.argv[4:] in (["unread"], ["crowded"], ["abrupt"]):
    sys.stdin.readline()
    if sys.argv[4] == "unread":
        connection.shutdown(socket.SHUT_WR)
        sys.stdin.read()
    sys.exit()
if sys.argv[4:] != ["silent"]:
    try:
        session.unwrap()
    except ssl.SSLWantReadError:
        pass
    connection.sendall(outgoing.read())
connection.shutdown(socket.SHUT_WR)
answer = []
while True:
    try:
        piece = step(lambda: session.read(65536))
    except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
        break
    if not piece:
        break
    answer.append(piece)
print(b"".join(answer).decode().replace("\r\n", "|"))
