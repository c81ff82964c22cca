#!/usr/bin/env python3
"""CPU per call of a gateway alone, beside idle streams, and at many connections, in one run.

    mixed.py "COMMAND"        COMMAND serves gateway.yaml (127.0.0.1:18080), as for measure.py

Prints for each case the processor microseconds per call, calls a second, p50, p99, failures, resident memory, and the ratio to the
first case."""

import os
import pathlib
import subprocess
import sys
import tempfile
import time

import measure

CASES = [(0, 64), (1000, 64), (10000, 64), (0, 1000), (0, 5000)]


def main():
    first = None
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        os.chmod(folder, 0o755)
        measure.build(folder)
        backend = subprocess.Popen([folder / "backend", measure.RPC])
        try:
            print("| idle streams | connections | cpu_us | calls/s | p50_ms | p99_ms | failed | rss_kib | ratio |\n|---|---|---|---|---|---|---|---|---|")
            for streams, connections in CASES:
                gateway = measure.Contender("ours", sys.argv[1].split(), measure.PORT["ours"], "/", folder)
                publisher = subprocess.Popen([folder / "publisher", measure.SUB, "0.01", "120", "1"], stdout=subprocess.DEVNULL)
                load = None
                try:
                    if streams:
                        load = subprocess.Popen([folder / "sse_load", str(gateway.port), "/sub/news?topic=none", str(streams), "60"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                        time.sleep(max(2.0, streams / 1500))
                    runs = []
                    for _ in range(3):
                        before = measure.cpu_seconds(gateway.pid)
                        run = measure.wrk(folder, gateway.port, "/rpc/bench/add", connections, 3, "[1,2]")
                        runs.append(((measure.cpu_seconds(gateway.pid) - before) * 1e6 / max(1, run["requests"]), run))
                    cpu, run = sorted(runs, key=lambda r: r[0])[1]
                    first = first or cpu
                    print(f"| {streams} | {connections} | {cpu:.1f} | {run['requests'] / run['seconds']:,.0f} | {run['p50_ms']:.2f} | {run['p99_ms']:.2f} | {run['failed']} | {measure.rss_kib(gateway.pid):,} | {cpu / first:.2f} |", flush=True)
                finally:
                    for process in (load, publisher):
                        if process:
                            process.kill()
                            process.wait()
                    gateway.stop()
        finally:
            backend.terminate()
            backend.wait()


if __name__ == "__main__":
    main()
