"""Mutates the raw requests of Tests/Support/raw-requests.txt, and compares what a gateway makes of each with what h11 does.

Usage: fuzz.py GATEWAY [--count 100000] [--seed 1] [--show 20]

A request that h11 refuses and the gateway serves is a disagreement: something in front of the gateway may read it otherwise. Those that
are known are counted: h11 is stricter than HTTP asks for, and libmicrohttpd 0.9.75 has the holes that docs/security.md names. All others
are printed with their bytes, and make the exit status 1. The same seed makes the same mutations.
"""
import argparse
import ast
import asyncio
import collections
import random
import re
import subprocess
import sys
import time

import h11

from raw_requests import corpus, mutated

MARKER = b"GET /live?marker HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
# What the HTTP layer says of requests that it refuses. With any other code the request has been taken.
REFUSED = {
    b"bad-request", b"bad-target", b"uri-too-long", b"headers-too-large", b"body-too-large", b"length-required",
    b"unsupported-version", b"not-implemented", b"unsupported-encoding", b"request-timeout",
}


def judged(data):
    """How many requests h11 takes before it refuses one, why it does, and whether that is in a body or its trailers."""
    connection, requests = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20), 0
    connection.receive_data(data)
    is_in_body = False
    try:
        while True:
            is_in_body = connection.their_state is h11.SEND_BODY
            event = connection.next_event()
            if event is h11.NEED_DATA:
                return requests, None, False
            if event is h11.PAUSED:
                if connection.our_state is h11.SEND_RESPONSE:
                    connection.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
                    connection.send(h11.EndOfMessage())
                if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
                    return requests, None, False
                connection.start_next_cycle()
            elif isinstance(event, h11.EndOfMessage):
                # One whose end is not there has not been taken.
                requests += 1
                connection.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
                connection.send(h11.EndOfMessage())
                if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
                    return requests, None, False
                connection.start_next_cycle()
    except h11.RemoteProtocolError as error:
        return requests, str(error), is_in_body


def known(data, reason, is_in_body, codes, is_strict):
    """What kind of disagreement that is, when it is a known one."""
    if is_in_body and reason == "bad Content-Length":
        return "h11 reads trailers as headers: their Content-Length is no number"
    line = re.fullmatch(r"illegal (?:header|request) line: bytearray\((.*)\)", reason, re.DOTALL)
    line = line and ast.literal_eval(line[1])
    if reason.startswith("illegal request line") and codes & {b"bad-target", b"misdirected"}:
        return "the gateway refuses a request for its target or host alone, h11 all that follow"
    # With one line each, ended by CR LF, they change nothing of where the request ends.
    if is_in_body and line and re.fullmatch(rb"[^\0\r\n: \t][^\0\r\n: \t]*:[^\0\r\n]*", line):
        return "trailers, which nobody reads, hold control characters, or others that headers may not"
    if is_strict:
        return None
    if reason == "no request line received":
        return "an empty line before a request is skipped, as RFC 9112, 2.2 allows"
    if line and line.startswith(b"\0"):
        return "0.9.75: a line that begins with NUL is an empty one"
    if line and line.endswith(b"\0") and (b"\0\n" in data or b"\0\r\n\n" in data):
        return "0.9.75: NUL LF is read as CR LF"
    if line and line.startswith(b":") and (b"\n:\n" in data or b"\n:\r\n" in data):
        return "0.9.75: the head ends with ':' LF, or LF ':' CR LF"
    return None


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


async def run(port, count, seed, is_strict):
    """The disagreements: by kind the number of known ones; the others."""
    source = random.Random(seed)
    seeds = [variants[0] for variants in corpus("calc", most=200)]
    kinds, unknown, taken, refused = collections.Counter(), [], 0, 0
    slots = asyncio.Semaphore(64)

    async def one(data):
        nonlocal taken, refused
        async with slots:
            given = answers(await asked(port, data))
        served = sum(code not in REFUSED and not is_early for code, is_early in given)
        expected, reason, is_in_body = judged(data + MARKER)
        taken += served
        refused += reason is not None
        if reason is None or served <= expected:
            return
        if kind := known(data, reason, is_in_body, {code for code, _ in given}, is_strict):
            kinds[kind] += 1
        else:
            unknown.append((data, reason))

    tasks = set()
    for _ in range(count):
        tasks.add(asyncio.create_task(one(mutated(seeds, source))))
        if len(tasks) >= 512:
            done, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
    await asyncio.gather(*tasks)
    print(f"{count} mutations of {len(seeds)} requests, seed {seed}: {taken} requests served, {refused} refused by h11")
    return kinds, unknown


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("gateway", help="the program")
    options.add_argument("--count", type=int, default=100_000, help="mutations")
    options.add_argument("--seed", type=int, default=1, help="the same makes the same mutations")
    options.add_argument("--show", type=int, default=20, help="how many are printed at most")
    options = options.parse_args()
    gateway = subprocess.Popen(
        [options.gateway, "demo", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        is_strict = True
        for line in gateway.stdout:
            is_strict = is_strict and "libmicrohttpd before 1.0" not in line
            if port := re.search(r"addresses=127\.0\.0\.1:(\d+)", line):
                break
        else:
            sys.exit("the gateway did not start")
        # What it logs is read and thrown away, so that it never waits.
        subprocess.Popen(["cat"], stdin=gateway.stdout, stdout=subprocess.DEVNULL)
        start = time.monotonic()
        kinds, unknown = asyncio.run(run(int(port[1]), options.count, options.seed, is_strict))
        if gateway.poll() is not None:
            sys.exit(f"the gateway ended with {gateway.returncode}")
        print(f"libmicrohttpd is {'strict' if is_strict else 'not strict'}; {time.monotonic() - start:.0f} s")
        for kind, number in kinds.most_common():
            print(f"{number} known disagreements: {kind}")
        for data, reason in sorted(unknown, key=lambda example: len(example[0]))[:options.show]:
            print(f"served, and refused by h11: {data[:300]!r}\n    {reason[:120]}")
        print(f"{len(unknown)} disagreements that are not known")
        sys.exit(1 if unknown else 0)
    finally:
        gateway.kill()
        gateway.wait()


main()
