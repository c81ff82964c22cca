#!/usr/bin/env python3
"""What slow clients do to honest ones: 50 clients call alone, then beside many slow ones of each kind, in one run.

    slow_clients.py --gateway ".build/release/zmq-gateway" [--slow 2000] [--seconds 14] [--honest 50] [KIND ...]

KIND: heads, bodies, chunks, second-heads, readers (default: all). Starts the gateway's own demonstration backend through
`demo`, so nothing else is needed but room for that many open files. For each kind it prints the honest clients' p50 and
p99, p99 by that of the honest alone before and after it, and how many of the slow were cut meanwhile.
The honest alone are measured again around each kind, because the machine does other things too. Less than 12 seconds would
end before the read timeout cuts anyone. Chunks need libmicrohttpd 1.0; with 0.9.75 they are refused, 411."""

import argparse
import asyncio
import resource
import shlex
import socket
import subprocess
import time

PORT = 18090
CALL = (b"POST /rpc/calc/add HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\n"
        b"[2,3]")
HEAD = b"POST /rpc/calc/add HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
FIRST = {
    "heads": b"G",
    "bodies": HEAD + b"Content-Length: 100000\r\n\r\n[",
    "chunks": HEAD + b"Transfer-Encoding: chunked\r\n\r\n",
    "second-heads": b"GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "readers": b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 40,
}
NEXT = {"heads": b"G", "bodies": b" ", "chunks": b"1\r\n \r\n", "second-heads": b"G", "readers": b""}


async def honest(count, seconds):
    """p50, p99 and the longest latency, in ms, of that many clients that call one after the other."""
    taken = []
    end = time.monotonic() + seconds

    async def one():
        reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
        while time.monotonic() < end:
            start = time.perf_counter()
            writer.write(CALL)
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(f"an honest client was refused: {head[:80]}")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            taken.append(time.perf_counter() - start)
            await asyncio.sleep(0.02)
        writer.close()

    await asyncio.gather(*(one() for _ in range(count)))
    taken.sort()
    return 1e3 * taken[len(taken) // 2], 1e3 * taken[len(taken) * 99 // 100], 1e3 * taken[-1]


async def drip(kind, sockets):
    """A byte or chunk a second from each, spread over the second."""
    while NEXT[kind]:
        for index, one in enumerate(sockets):
            try:
                one.send(NEXT[kind])
            except OSError:
                pass
            if index % 100 == 0:
                await asyncio.sleep(1 / max(1, len(sockets) / 100))


def is_cut(one):
    try:
        while True:
            if not one.recv(1 << 16):
                return True
    except BlockingIOError:
        return False
    except OSError:
        return True


async def beside(kind, arguments):
    sockets = []
    for index in range(arguments.slow):
        one = socket.socket()
        if kind == "readers":
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        # Addresses of their own: an address may have no more than `connections-per-address`.
        one.bind((f"127.0.0.{2 + index // 500}", 0))
        one.connect(("127.0.0.1", PORT))
        one.setblocking(False)
        try:
            one.send(FIRST[kind])
        except OSError:
            pass
        sockets.append(one)
        if index % 100 == 0:
            await asyncio.sleep(0)
    dripping = asyncio.create_task(drip(kind, sockets))
    result = await honest(arguments.honest, arguments.seconds)
    dripping.cancel()
    cut = sum(is_cut(one) for one in sockets) if kind != "readers" else 0
    for one in sockets:
        one.close()
    await asyncio.sleep(1.5)
    return result, cut


async def run(arguments):
    print(f"{'':14} {'p50 ms':>8} {'p99 ms':>8} {'p99 by alone':>13} {'cut':>6}")
    before = await honest(arguments.honest, arguments.seconds)
    print(f"{'alone':14} {before[0]:8.2f} {before[1]:8.2f}")
    for kind in arguments.kinds or FIRST:
        (p50, p99, _), cut = await beside(kind, arguments)
        after = await honest(arguments.honest, arguments.seconds)
        ratio = p99 / ((before[1] + after[1]) / 2)
        print(f"{kind:14} {p50:8.2f} {p99:8.2f} {ratio:13.2f} {cut:6}")
        print(f"{'alone':14} {after[0]:8.2f} {after[1]:8.2f}", flush=True)
        before = after


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gateway", required=True)
    parser.add_argument("--slow", type=int, default=2000)
    parser.add_argument("--honest", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=14)
    parser.add_argument("kinds", nargs="*", choices=[[], *FIRST], metavar="KIND")
    arguments = parser.parse_args()
    files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files[1], files[1]))
    command = [*shlex.split(arguments.gateway), "demo", "--listen", f"127.0.0.1:{PORT}"]
    gateway = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with socket.socket() as one:
                if one.connect_ex(("127.0.0.1", PORT)) == 0:
                    break
            time.sleep(0.05)
        asyncio.run(run(arguments))
    finally:
        gateway.terminate()
        gateway.wait()


if __name__ == "__main__":
    main()
