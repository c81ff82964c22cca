#!/usr/bin/env python3
"""What streams that nobody reads do to those that are read: 4,000 readers alone, then beside 1,000 that have stopped reading.

    stalled_streams.py --gateway "COMMAND" [--readers 4000] [--stalled 1000] [--rate 20] [--seconds 10] [--rounds 3]

COMMAND serves gateway.yaml (127.0.0.1:18080). Needs gcc and libzmq3-dev. Each round prints the readers' p50 and p99 from the
publication to the reader, alone and beside the stalled, and their ratio; the last line is the median of the ratios of p99. A
reader that misses an event, or a stream that is refused, is an error. Both need room for that many open files."""

import argparse
import json
import pathlib
import resource
import shlex
import signal
import socket
import statistics
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
PORT, PATH, EVENTS = 18080, "/sub/news?topic=bench", "tcp://127.0.0.1:15998"


def stall(count):
    """Streams that are opened and never read. Little fits into their sockets, so they stand still soon."""
    request = f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n".encode()
    stalled = []
    for _ in range(count):
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
        one.connect(("127.0.0.1", PORT))
        one.sendall(request)
        stalled.append(one)
    return stalled


def measure(tools, readers, rate, seconds):
    """What sse_load saw while events were published at that rate."""
    load = subprocess.Popen(
        [tools / "sse_load", str(PORT), PATH, str(readers), str(seconds + 4)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    load.stderr.readline()
    subprocess.run([tools / "publisher", EVENTS, str(rate), str(seconds), "1.5"], check=True)
    seen = json.loads(load.communicate()[0])
    if seen["refused"] or seen["closed"] or seen["events"] < readers * rate * seconds * 0.99:
        raise RuntimeError(f"not all events reached the readers: {seen}")
    return seen


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gateway", required=True)
    parser.add_argument("--readers", type=int, default=4_000)
    parser.add_argument("--stalled", type=int, default=1_000)
    parser.add_argument("--rate", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as folder:
        tools = pathlib.Path(folder)
        for name in ("publisher", "sse_load"):
            subprocess.run(["gcc", "-O2", "-o", tools / name, HERE / f"{name}.c", "-lzmq"], check=True)
        ratios = []
        for number in range(options.rounds):
            seen = []
            for stalled_count in (0, options.stalled):
                gateway = subprocess.Popen(
                    shlex.split(options.gateway), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                try:
                    deadline = time.monotonic() + 15
                    while socket.socket().connect_ex(("127.0.0.1", PORT)):
                        if time.monotonic() > deadline:
                            raise RuntimeError("the gateway does not listen")
                        time.sleep(0.05)
                    stalled = stall(stalled_count)
                    seen.append(measure(tools, options.readers, options.rate, options.seconds))
                    for one in stalled:
                        one.close()
                finally:
                    gateway.send_signal(signal.SIGKILL)
                    gateway.wait()
            alone, beside = seen
            ratios.append(beside["p99_ms"] / alone["p99_ms"])
            print(f"round {number + 1}: alone p50 {alone['p50_ms']} ms, p99 {alone['p99_ms']} ms; beside the stalled p50"
                  f" {beside['p50_ms']} ms, p99 {beside['p99_ms']} ms; p99 x {ratios[-1]:.2f}", flush=True)
        print(f"median of p99 beside the stalled by p99 alone: {statistics.median(ratios):.2f}")


main()
