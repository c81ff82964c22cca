#!/usr/bin/env python3
"""Backends that a test kills, freezes and brings back, each a fork of this process, which has imported everything once.

    python3 faulty_backends.py DIRECTORY

Reads one command a line and answers each with a line when it is done; ends, and all backends with it, at the end of its input.

    start NAME KIND    a backend on ipc://DIRECTORY/NAME; answers when it is bound
    kill NAME          SIGKILL, and waits for its end
    freeze NAME        SIGSTOP
    thaw NAME          SIGCONT

Kinds, all with the method run(token), which answers the token:

    raw       a ROUTER of pyzmq
    aiozmq    a service of aiozmq.rpc
    hostile   a ROUTER that answers every fourth call as it should, and others with garbage, with half a reply, twice, with
              the numbers of calls that it was not given, or not at all
    dialer    as raw, but it connects to ipc://DIRECTORY/gateway, which the gateway has bound
    aiozmq-dialer    as aiozmq, in the same way
    noise     no ZeroMQ: sends bytes that are none, or stops in the middle of a message, and closes

Before a call is answered, its token and the name of the backend are a line of DIRECTORY/journal: that tells what ran, and where.
"""
import asyncio
import ctypes
import os
import signal
import socket
import struct
import sys
import time

import aiozmq.rpc
import msgpack
import zmq


class Journal:
    name = ""

    def __init__(self, directory):
        self.fd = os.open(os.path.join(directory, "journal"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def note(self, token):
        os.write(self.fd, f"{token} {self.name}\n".encode())


def router(endpoint, ready):
    sock = zmq.Context().socket(zmq.ROUTER)
    sock.linger = 0
    sock.bind(endpoint)
    ready()
    return sock


def calls(sock):
    """Each call that comes: where it goes back to, its head, its token."""
    while True:
        peer, head, _, args, _ = sock.recv_multipart()
        yield peer, head, msgpack.unpackb(args)[0]


def raw(endpoint, journal, ready):
    answer(router(endpoint, ready), journal)


def dialer(endpoint, journal, ready):
    sock = zmq.Context().socket(zmq.ROUTER)
    sock.linger = 0
    sock.connect(gateway_of(endpoint))
    ready()
    answer(sock, journal)


def gateway_of(endpoint):
    return os.path.dirname(endpoint) + "/gateway"


def answer(sock, journal):
    for peer, head, token in calls(sock):
        journal.note(token)
        # As if it worked: so that there are calls under way when it is killed.
        time.sleep(0.0005)
        sock.send_multipart([peer, head + b"\0", msgpack.packb(token)])


def hostile(endpoint, journal, ready):
    sock = router(endpoint, ready)
    given = {}
    for count, (peer, head, token) in enumerate(calls(sock)):
        journal.note(token)
        number = struct.unpack_from("=L", head, 4)[0]
        mine = given.setdefault(peer, set())
        mine.add(number)
        answer = [peer, head + b"\0", msgpack.packb(token)]
        trick = count % 12
        if trick == 1:
            sock.send_multipart([peer, head + b"\0", b"\xc1\xc1"])
        elif trick == 2:
            sock.send_multipart([peer, head + b"\0"])
        elif trick == 3:
            sock.send_multipart([peer, head[:9]])
        elif trick == 5:
            sock.send_multipart(answer)
            sock.send_multipart(answer)
        elif trick == 6:
            # Calls that are with somebody else, or were.
            for other in range(max(1, number - 20), number):
                if other not in mine:
                    stolen = head[:4] + struct.pack("=L", other) + head[8:]
                    sock.send_multipart([peer, stolen + b"\0", msgpack.packb("stolen")])
            sock.send_multipart(answer)
        elif trick == 7:
            sock.send_multipart([peer, b"", os.urandom(40), b"\xff" * 17, b""])
            sock.send_multipart(answer)
        elif trick == 9:
            sock.send_multipart([peer, head + b"\0", msgpack.packb(token), b"more"])
        elif trick == 10:
            sock.send_multipart([peer, head + b"\1", msgpack.packb(["builtins.ValueError", [token], "no"])])
        elif trick == 11:
            pass
        else:
            sock.send_multipart(answer)


def real(endpoint, journal, ready, **where):
    class Handler(aiozmq.rpc.AttrHandler):
        @aiozmq.rpc.method
        async def run(self, token):
            journal.note(token)
            await asyncio.sleep(0.001)
            return token

    async def serve():
        await aiozmq.rpc.serve_rpc(Handler(), **(where or {"bind": endpoint}))
        ready()
        await asyncio.Event().wait()

    asyncio.run(serve())


def real_dialer(endpoint, journal, ready):
    real(endpoint, journal, ready, connect=gateway_of(endpoint))


def noise(endpoint, journal, ready):
    path = endpoint.removeprefix("ipc://")
    if os.path.exists(path):
        os.unlink(path)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    ready()
    greeting = b"\xff" + b"\0" * 8 + b"\x7f" + b"\x03\x00" + b"NULL".ljust(20, b"\0") + b"\0" + b"\0" * 31
    command = b"\x05READY\x0bSocket-Type\0\0\0\x06ROUTER\x08Identity\0\0\0\0"
    handshake = greeting + b"\x04" + bytes([len(command)]) + command
    said = [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        os.urandom(200),
        greeting[:20],
        handshake[:-7],
        # A message of four frames that stops in the second.
        handshake + b"\x01\x11" + b"\0" * 17 + b"\x01\x40half",
        handshake + b"\x02\xff\xff\xff\xff\xff\xff\xff\xff",
    ]
    count = 0
    while True:
        peer, _ = listener.accept()
        try:
            peer.sendall(said[count % len(said)])
        except OSError:
            pass
        peer.close()
        count += 1


KINDS = {
    "raw": raw, "aiozmq": real, "hostile": hostile, "noise": noise, "dialer": dialer, "aiozmq-dialer": real_dialer,
}


class Backends:
    def __init__(self, directory):
        self.directory = directory
        self.journal = Journal(directory)
        self.pids = {}

    def start(self, name, kind):
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            # It ends with its parent.
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)
            os.close(read)
            os.close(0)
            self.journal.name = name
            try:
                KINDS[kind](f"ipc://{self.directory}/{name}", self.journal, lambda: os.write(write, b"1"))
            finally:
                os._exit(1)
        os.close(write)
        self.pids[name] = pid
        if os.read(read, 1) != b"1":
            raise RuntimeError(f"{name} did not start")
        os.close(read)

    def kill(self, name):
        pid = self.pids.pop(name)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)

    def freeze(self, name):
        os.kill(self.pids[name], signal.SIGSTOP)

    def thaw(self, name):
        os.kill(self.pids[name], signal.SIGCONT)


def main():
    backends = Backends(sys.argv[1])
    print("ready", flush=True)
    for line in sys.stdin:
        command, *arguments = line.split()
        getattr(backends, command)(*arguments)
        print("done", flush=True)
    for name in list(backends.pids):
        backends.kill(name)


main()
