#!/usr/bin/env python3
"""What clients can make the gateway hold: its resident memory at the worst, and when they have gone.

    memory_attacks.py --gateway ".build/release/zmq-gateway" [KIND ...]

KIND: `withheld`, 300 bodies of 1 MiB less a few bytes, then closed; `trickled`, 1,800 such bodies, half of which go on with a byte
every two seconds; `frozen`, 1,000 calls of 1 MiB to a backend that is stopped; `unread`, 500 answers of 5 MB that nobody reads.
Default: all, each against a fresh gateway. After each the attackers close. It prints, in MiB, the resident memory before, the
most meanwhile, and what is left one and three seconds after the attackers have closed, each less that before, and what the
gateway answered. Held to `http.limits.memory` (128 MiB by default): at most that and 64 MiB more, and 32 MiB afterwards. The exit code
is 1 when that is exceeded.

The gateway is warmed up by 2,000 calls first, so that what any use costs is not counted as the attack's. Needs pyzmq and msgpack,
which aiozmq brings along."""

import argparse
import collections
import multiprocessing
import os
import resource
import selectors
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import msgpack
import zmq

PORT = 18091
LIMIT = 128
CONFIGURATION = """
http: {{ listen: ["127.0.0.1:18091"], limits: {{ memory: 128MiB }} }}
services:
  calc: {{ pattern: rpc, connect: ["ipc://{0}/calc"], timeout: 10s }}
  long: {{ pattern: rpc, connect: ["ipc://{0}/long"], timeout: 60s }}
"""
LENGTH = 1 << 20


def head(length, path="/rpc/calc/add"):
    return (f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Content-Length: {length}\r\n\r\n").encode()


def body(length):
    return b'["' + b"x" * (length - 4) + b'"]'


def serve(address, long):
    router = zmq.Context().socket(zmq.ROUTER)
    router.bind(address)
    while True:
        *envelope, header, method, _, _ = router.recv_multipart()
        router.send_multipart([*envelope, header + b"\0", long if method == b"long" else b"\x05"], copy=False)


class Crowd:
    """Many clients at once, each on a connection of its own."""

    def __init__(self, count, receive_buffer=None):
        self.sockets = []
        self.statuses = collections.Counter()
        for index in range(count):
            one = socket.socket()
            if receive_buffer:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            one.bind((f"127.0.0.{2 + index // 500}", 0))
            one.connect(("127.0.0.1", PORT))
            one.setblocking(False)
            self.sockets.append(one)

    def send(self, text, reads=True, seconds=30):
        """Sends it on each connection, as fast as each is read; what is answered meanwhile is counted."""
        selector = selectors.DefaultSelector()
        left = {}
        for one in self.sockets:
            left[one] = memoryview(text)
            selector.register(one, selectors.EVENT_WRITE | (selectors.EVENT_READ if reads else 0))
        end = time.monotonic() + seconds
        while left and time.monotonic() < end:
            for key, events in selector.select(1):
                one = key.fileobj
                try:
                    if events & selectors.EVENT_READ:
                        self.count(one)
                        raise BrokenPipeError
                    left[one] = left[one][one.send(left[one]):]
                    if left[one]:
                        continue
                except BlockingIOError:
                    continue
                except OSError:
                    pass
                selector.unregister(one)
                del left[one]

    def count(self, one):
        try:
            answer = one.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            answer = b""
        self.statuses[answer[9:12].decode() if answer else "closed"] += 1

    def read(self):
        """Counts what has been answered and was not read."""
        for one in self.sockets:
            self.count(one)

    def drip(self, sockets):
        for one in sockets:
            try:
                one.send(b"x")
            except OSError:
                pass

    def close(self):
        for one in self.sockets:
            one.close()


def withheld(_):
    crowd = Crowd(300)
    crowd.send(head(LENGTH) + body(LENGTH)[:-74])
    time.sleep(1)
    return crowd


def trickled(_):
    crowd = Crowd(1800)
    crowd.send(head(LENGTH) + body(LENGTH)[:-74])
    for _ in range(5):
        crowd.drip(crowd.sockets[::2])
        time.sleep(2)
    return crowd


def frozen(backend):
    os.kill(backend, signal.SIGSTOP)
    crowd = Crowd(1000)
    crowd.send(head(LENGTH) + body(LENGTH))
    time.sleep(2)
    return crowd


def unread(_):
    crowd = Crowd(500, receive_buffer=4096)
    crowd.send(head(2, "/rpc/long/long") + b"[]", reads=False)
    time.sleep(8)
    return crowd


KINDS = {"withheld": withheld, "trickled": trickled, "frozen": frozen, "unread": unread}


def resident(process):
    """Resident memory in MiB."""
    with open(f"/proc/{process}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:")) / 1024


def warm_up():
    for _ in range(40):
        with socket.create_connection(("127.0.0.1", PORT)) as one:
            for _ in range(50):
                one.sendall(head(5) + b"[2,3]")
                one.recv(4096)


class Watch(threading.Thread):
    """The most that a process has resident."""

    def __init__(self, process):
        super().__init__(daemon=True)
        self.process, self.most, self.goes_on = process, 0, True

    def run(self):
        while self.goes_on:
            self.most = max(self.most, resident(self.process))
            time.sleep(0.02)


def attack(kind, arguments):
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "gateway.yaml")
        with open(path, "w") as file:
            file.write(CONFIGURATION.format(directory))
        backends = []
        for name in ("calc", "long"):
            process = multiprocessing.Process(
                target=serve, args=(f"ipc://{directory}/{name}", msgpack.packb("x" * 5_000_000)), daemon=True)
            process.start()
            backends.append(process)
        gateway = subprocess.Popen(
            [*shlex.split(arguments.gateway), "serve", "--config", path], stderr=subprocess.DEVNULL)
        try:
            time.sleep(2)
            warm_up()
            before = resident(gateway.pid)
            watch = Watch(gateway.pid)
            watch.start()
            crowd = KINDS[kind](backends[0].pid)
            watch.goes_on = False
            watch.join()
            crowd.read()
            crowd.close()
            os.kill(backends[0].pid, signal.SIGCONT)
            after = []
            for wait in (1, 2):
                time.sleep(wait)
                after.append(resident(gateway.pid) - before)
            most = watch.most - before
            statuses = ", ".join(f"{count} x {status}" for status, count in sorted(crowd.statuses.items()))
            print(f"{kind:10} {before:8.0f} {most:8.0f} {after[0]:8.0f} {after[1]:8.0f}   {statuses}", flush=True)
            return most <= LIMIT + 64 and after[-1] <= 32
        finally:
            gateway.kill()
            gateway.wait()
            for process in backends:
                process.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gateway", required=True)
    parser.add_argument("kinds", nargs="*", choices=[[], *KINDS], metavar="KIND")
    arguments = parser.parse_args()
    files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files[1], files[1]))
    print(f"{'':10} {'before':>8} {'most':>8} {'1 s':>8} {'3 s':>8}   answers")
    held = [attack(kind, arguments) for kind in arguments.kinds or KINDS]
    sys.exit(0 if all(held) else 1)


if __name__ == "__main__":
    main()
