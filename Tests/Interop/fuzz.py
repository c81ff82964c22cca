"""Mutates the raw requests of Tests/Support/raw-requests.txt, and compares what a gateway makes of each with what h11 does.

Usage: fuzz.py GATEWAY [--count 100000] [--seed 1] [--show 20]

A request that h11 refuses and the gateway serves is a disagreement: something in front of the gateway may read it otherwise. The exit
status says whether there is one; each is printed with its bytes. The same seed makes the same mutations.
"""
import argparse
import asyncio
import collections
import pathlib
import random
import re
import subprocess
import sys
import time

import h11

CORPUS = pathlib.Path(__file__).resolve().parents[1] / "Support/raw-requests.txt"
MARKER = b"GET /live?marker HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
# What the HTTP layer says of requests that it refuses. With any other code the request has been taken.
REFUSED = {
    b"bad-request", b"bad-target", b"uri-too-long", b"headers-too-large", b"body-too-large", b"length-required",
    b"unsupported-version", b"not-implemented", b"unsupported-encoding", b"request-timeout",
}
PIECES = [
    b"\r\n", b"\n", b"\r", b"\0", b"\0\n", b":\n", b" ", b"\t", b":", b",", b";", b"\x0b", b"\x7f", b"\x80", b"\xff", b"0", b"5", b"%00",
    b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Host: a\r\n", b"chunked", b"HTTP/1.1", b"GET /live HTTP/1.1\r\n",
    b"\r\n\r\n", b"5\r\nhello\r\n", b"0\r\n\r\n", b"Connection: close\r\n", b"Expect: 100-continue\r\n",
]


def unescaped(text):
    def repeated(match):
        return unescaped(match[1]).decode("latin-1") * min(int(match[2]), 200)

    text = re.sub(r"\{([^{}]+)\*(\d+)\}", repeated, text)
    escape = {"r": "\r", "n": "\n", "t": "\t"}
    replaced = re.sub(
        r"\\(x[0-9A-Fa-f]{2}|.)", lambda m: chr(int(m[1][1:], 16)) if m[1][0] == "x" else escape.get(m[1], m[1]), text)
    return replaced.encode("latin-1")


def corpus():
    """The requests of the file; of those that differ in one byte only, the first."""
    template = "$"
    for line in CORPUS.read_text().splitlines():
        if line.startswith("="):
            template = line[2:].partition(":")[2][1:]
        elif line and not line.startswith("#"):
            text = template.replace("$", line.split("|", 2)[2][1:], 1)
            data = unescaped(re.sub(r"<([0-9A-F]{2})[^>]*>", r"\\x\1", text))
            yield data.replace(b"/rpc/s/", b"/rpc/calc/")


def mutated(seeds, source):
    data = bytearray(source.choice(seeds))
    for _ in range(source.choice([1, 1, 1, 2, 2, 3, 5])):
        at, to = (source.randrange(len(data) + 1) for _ in "12")
        kind = source.randrange(8)
        if kind == 0 and at < len(data):
            data[at] = source.randrange(256)
        elif kind == 1:
            data[at:at + 1] = source.choice(PIECES)
        elif kind == 2:
            data[at:at] = source.choice(PIECES)
        elif kind == 3:
            del data[at:at + source.randrange(1, 4)]
        elif kind == 4:
            data[at:at] = data[min(at, to):max(at, to)][:200]
        elif kind == 5:
            other = source.choice(seeds)
            data[at:] = other[source.randrange(len(other) + 1):]
        elif kind == 6:
            lines = data.split(b"\r\n")
            i, j = source.randrange(len(lines)), source.randrange(len(lines))
            lines[i], lines[j] = lines[j], lines[i]
            data = bytearray(b"\r\n".join(lines))
        else:
            data[at:at] = bytes([source.randrange(256)])
    return bytes(data)


def judged(data):
    """How many requests h11 takes before it refuses one, and why it does."""
    connection, requests = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20), 0
    connection.receive_data(data)
    try:
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                return requests, None
            if event is h11.PAUSED:
                if connection.our_state is h11.SEND_RESPONSE:
                    connection.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
                    connection.send(h11.EndOfMessage())
                if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
                    return requests, None
                connection.start_next_cycle()
            elif isinstance(event, h11.EndOfMessage):
                # One whose end is not there has not been taken.
                requests += 1
                connection.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
                connection.send(h11.EndOfMessage())
                if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
                    return requests, None
                connection.start_next_cycle()
    except h11.RemoteProtocolError as error:
        return requests, str(error)


def answers(data):
    """The answers in what a gateway has sent: for each the code of its problem, and whether it may have come before the body was read."""
    found = []
    while data.startswith(b"HTTP/1.1 "):
        head, _, data = data.partition(b"\r\n\r\n")
        status = int(head[9:12])
        code = re.search(rb"\r\nGateway-Error: ([^\r]*)", head)
        length = re.search(rb"(?i)\r\nContent-Length: (\d+)", head)
        if status == 100:
            continue
        found.append((code[1] if code else b"", status >= 400 and b"\r\nConnection: close" in head))
        body = int(length[1]) if length else 0
        # HEAD is answered with the length of what GET would be, and no body.
        if body and not data[:9] == b"HTTP/1.1 ":
            data = data[body:]
    return found


async def asked(port, data):
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    received = b""
    try:
        writer.write(data + MARKER)
        while True:
            piece = await asyncio.wait_for(reader.read(65536), 0.5)
            if not piece:
                break
            received += piece
    except (TimeoutError, asyncio.TimeoutError, ConnectionError):
        pass
    writer.transport.abort()
    return received


async def run(port, count, seed, show):
    source = random.Random(seed)
    seeds = list(corpus())
    found, taken, refused = collections.OrderedDict(), 0, 0
    slots = asyncio.Semaphore(64)

    async def one(data):
        nonlocal taken, refused
        async with slots:
            received = await asked(port, data)
        given = answers(received)
        served = sum(code not in REFUSED and not is_early for code, is_early in given)
        expected, reason = judged(data + MARKER)
        taken += served
        refused += reason is not None
        # The gateway refuses such a target alone, h11 all that follows.
        is_target = reason is not None and "request line" in reason and any(code == b"bad-target" for code, _ in given)
        if reason is not None and served > expected and not is_target:
            found.setdefault(reason.partition(":")[0], []).append((data, reason))

    tasks = set()
    for _ in range(count):
        tasks.add(asyncio.create_task(one(mutated(seeds, source))))
        if len(tasks) >= 512:
            _, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    if tasks:
        await asyncio.wait(tasks)
    print(f"{count} mutations of {len(seeds)} requests, seed {seed}: {taken} requests served, {refused} refused by h11")
    for reason, examples in found.items():
        print(f"{len(examples)} served that h11 refuses: {reason}")
        for data, reason in sorted(examples, key=lambda example: len(example[0]))[:show]:
            print(f"    {data[:300]!r}\n        {reason[:120]}")
    return found


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("gateway", help="the program")
    options.add_argument("--count", type=int, default=100_000, help="mutations")
    options.add_argument("--seed", type=int, default=1, help="the same makes the same mutations")
    options.add_argument("--show", type=int, default=3, help="examples printed of each kind")
    options = options.parse_args()
    gateway = subprocess.Popen(
        [options.gateway, "demo", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        for line in gateway.stdout:
            if port := re.search(r"addresses=127\.0\.0\.1:(\d+)", line):
                break
        else:
            sys.exit("the gateway did not start")
        # What it logs is read and thrown away, so that it never waits.
        drain = subprocess.Popen(["cat"], stdin=gateway.stdout, stdout=subprocess.DEVNULL)
        start = time.monotonic()
        found = asyncio.run(run(int(port[1]), options.count, options.seed, options.show))
        if gateway.poll() is not None:
            sys.exit(f"the gateway ended with {gateway.returncode}")
        print(f"{time.monotonic() - start:.0f} s, {sum(map(len, found.values()))} disagreements")
        sys.exit(1 if found else 0)
    finally:
        gateway.kill()
        gateway.wait()


main()
