#!/usr/bin/env python3
"""What long work for one client does to the others: 50 clients call alone, then beside each kind of it, in one run.

    long_work.py --gateway ".build/release/zmq-gateway" [--seconds 8] [--honest 50] [KIND ...]

KIND, each in a loop: `dates`, `zoned`, `text` and `nils`, replies of 400,000 pickled dates (with a time zone), of 60 MB of text, of a
million nils; `exception`, one with 400,000 dates; `maps`, a reply of nested maps with keys twice; `bodies`, arguments of 1 MiB that
take longest to read; `events`, published calls of 8 MiB of dates to one stream; `streams`, 1,000 streams of 512 topics that open
and close. Default: all. For each it prints the honest clients' p50, p99 and longest, p99 by that of the honest alone before and after
it, and how often it was done. The honest call services of their own. At the end SIGTERM is sent while the first kind's work is under
way, and the time to the end is printed; the grace is 2 seconds.

Needs pyzmq and msgpack, which aiozmq brings along."""

import argparse
import asyncio
import datetime
import multiprocessing
import os
import pickle
import resource
import shlex
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

import msgpack
import zmq

from slow_clients import CALL, honest

PORT = 18090
CONFIGURATION = """
http:
  listen: ["127.0.0.1:18090"]
  limits: {{ memory: 256MiB, target: 16KiB, connections-per-address: 10000 }}
grace: 2s
services:
  calc: {{ pattern: rpc, connect: ["ipc://{0}/calc"] }}
  long: {{ pattern: rpc, connect: ["ipc://{0}/long"], timeout: 60s }}
  news: {{ pattern: pubsub, subscribe: {{ connect: ["ipc://{0}/news"] }} }}
"""
WHEN = datetime.datetime(2026, 1, 2, 3, 4, 5, 678)


def dates(count, when=WHEN):
    one = msgpack.packb(msgpack.ExtType(126, pickle.dumps(when, protocol=pickle.HIGHEST_PROTOCOL)))
    return b"\xdd" + struct.pack(">I", count) + one * count


def maps():
    """60 maps in each other; in each a key stands twice, which is noticed at its end."""
    inner = msgpack.packb(["x" * 20] * 200_000)
    for _ in range(60):
        inner = b"\x82\xa1a" + inner + b"\xa1a\x01"
    return inner


REPLIES = {
    "dates": lambda: dates(400_000),
    "zoned": lambda: dates(400_000, WHEN.replace(tzinfo=datetime.timezone.utc)),
    "text": lambda: msgpack.packb("text and \"more\" " * 4_000_000),
    "nils": lambda: msgpack.packb([None] * 999_999),
    "exception": lambda: b"\x93\xa1E" + dates(400_000) + b"\xa1E",
    "maps": maps,
}
# What takes longest to read of 1 MiB: many short elements, floats of many digits, escapes, keys.
BODIES = [
    b"[" + b"1," * 524_000 + b"1]",
    b"[" + b"0.12345678901234567890123e-10," * 34_000 + b"1]",
    b'["' + b"\\ud83d\\ude00" * 87_000 + b'"]',
    b"[{" + b",".join(b'"%x":1' % key for key in range(100_000)) + b"}]",
]


def serve(address, bodies):
    """A service that answers each method with a body made before."""
    router = zmq.Context().socket(zmq.ROUTER)
    router.bind(address)
    while True:
        *envelope, header, method, _, _ = router.recv_multipart()
        body = bodies.get(method, b"\x05")
        flag = b"\1" if method == b"exception" else b"\0"
        router.send_multipart([*envelope, header + flag, body], copy=False)


def request(path, body=b"", count=None):
    return (f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode() + body


def ask(requests, done):
    """Sends them one after the other, for ever, and reads the answers."""
    one = socket.create_connection(("127.0.0.1", PORT))
    room = bytearray(1 << 20)
    while True:
        for each in requests:
            one.sendall(each)
            head = b""
            while b"\r\n\r\n" not in head:
                head += one.recv(1 << 16)
            first, rest = head.split(b"\r\n\r\n", 1)
            left = int(first.lower().split(b"content-length: ")[1].split(b"\r\n")[0]) - len(rest)
            while left > 0:
                left -= one.recv_into(room, min(left, len(room)))
            with done.get_lock():
                done.value += 1


def publish(address, done):
    """Publishes the longest events, each when the one before has arrived."""
    publisher = zmq.Context().socket(zmq.PUB)
    publisher.bind(address)
    body = dates((8 << 20) // 60)
    stream = socket.create_connection(("127.0.0.1", PORT))
    stream.sendall(b"GET /sub/news HTTP/1.1\r\nHost: localhost\r\n\r\n")
    time.sleep(1)
    while True:
        publisher.send_multipart([b"t", b"m", body, b"\x80"])
        tail = b""
        while not tail.endswith(b"}\n\n\r\n"):
            tail = (tail + stream.recv(1 << 20))[-10:]
        with done.get_lock():
            done.value += 1


def streams(done):
    """Opens many streams of many topics, all at once, and closes them."""
    count = 1_000
    while True:
        opened = []
        for index in range(count):
            query = "&".join(f"topic={index:x}.{topic:x}" for topic in range(512))
            one = socket.create_connection(("127.0.0.1", PORT))
            opened.append((one, f"GET /sub/news?{query} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()))
        for one, text in opened:
            one.sendall(text)
        for one, _ in opened:
            one.recv(4096)
        for one, _ in opened:
            one.close()
        with done.get_lock():
            done.value += 1
        time.sleep(1)


def work(kind, directory, done):
    if kind in REPLIES:
        return ask([request(f"/rpc/long/{kind}")], done)
    if kind == "bodies":
        return ask([request("/rpc/calc/add", body) for body in BODIES], done)
    if kind == "events":
        return publish(f"ipc://{directory}/news", done)
    return streams(done)


def start(target, *arguments):
    process = multiprocessing.Process(target=target, args=arguments, daemon=True)
    process.start()
    return process


async def measure(arguments, directory):
    print(f"{'':14} {'p50 ms':>8} {'p99 ms':>8} {'max ms':>8} {'p99 by alone':>13} {'done':>6}")
    before = await honest(arguments.honest, arguments.seconds)
    print(f"{'alone':14} {before[0]:8.2f} {before[1]:8.2f} {before[2]:8.2f}")
    for kind in arguments.kinds:
        done = multiprocessing.Value("i")
        worker = start(work, kind, directory, done)
        await asyncio.sleep(1)
        first = done.value
        p50, p99, most = await honest(arguments.honest, arguments.seconds)
        count = done.value - first
        worker.terminate()
        await asyncio.sleep(3)
        after = await honest(arguments.honest, arguments.seconds)
        ratio = p99 / ((before[1] + after[1]) / 2)
        print(f"{kind:14} {p50:8.2f} {p99:8.2f} {most:8.2f} {ratio:13.2f} {count:6}")
        print(f"{'alone':14} {after[0]:8.2f} {after[1]:8.2f} {after[2]:8.2f}", flush=True)
        before = after


def end(gateway, kind, directory):
    """How long the end takes while work is under way."""
    start(work, kind, directory, multiprocessing.Value("i"))
    time.sleep(2)
    began = time.monotonic()
    gateway.send_signal(signal.SIGTERM)
    gateway.wait(60)
    print(f"SIGTERM beside {kind}: {time.monotonic() - began:.1f} s of a grace of 2 s")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gateway", required=True)
    parser.add_argument("--honest", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=8)
    kinds = [*REPLIES, "bodies", "events", "streams"]
    parser.add_argument("kinds", nargs="*", choices=[[], *kinds], metavar="KIND")
    arguments = parser.parse_args()
    arguments.kinds = arguments.kinds or kinds
    files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files[1], files[1]))
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "gateway.yaml")
        with open(path, "w") as file:
            file.write(CONFIGURATION.format(directory))
        bodies = {kind.encode(): REPLIES[kind]() for kind in arguments.kinds if kind in REPLIES}
        start(serve, f"ipc://{directory}/calc", {})
        start(serve, f"ipc://{directory}/long", bodies)
        command = [*shlex.split(arguments.gateway), "serve", "--config", path]
        gateway = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            time.sleep(2)
            asyncio.run(measure(arguments, directory))
            end(gateway, arguments.kinds[0], directory)
        finally:
            gateway.kill()
            gateway.wait()


if __name__ == "__main__":
    main()
