#!/usr/bin/env python3
"""What keys, rules, CORS, limits and a log of requests cost: processor microseconds per call of a gateway with all of these, by those of
one without, and how long /metrics takes.

    guarded.py GATEWAY [--rounds 5] [--seconds 3] [--connections 64] [--streams 10000]

GATEWAY is the program. Both gateways serve the same backend and take turns; the ratio is the median of those of the rounds.

Where there are two processors, the gateways have one, and all else has the other. So the gateway has always work waiting for it, and as much
in each of its turns. Without that the scheduler decides how many calls a turn has, from 0.8 to 4, and what a turn costs by itself decides the ratio:
it was from 1.0 to 1.4 with the same programs. Where other programs run on the machine, `chrt -f 5` before the command gives these their
processors at once."""

import argparse
import http.client
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

import measure

GUARDED = """
auth: {{ keys: {{ file: {keys} }}, rules: [{{ allow: {{ subject: bench, service: [bench, news] }} }}] }}
limits: {{ rate: 1000000/s, burst: 1000000 }}
log: {{ access: true }}
"""


def write(folder, name, port, more="", http_more=""):
    text = (measure.HERE / "gateway.yaml").read_text()
    text = text.replace("18080", str(port)).replace("  threads: 1\n", "  threads: 1\n" + http_more)
    path = folder / f"{name}.yaml"
    path.write_text(text + more)
    return path


def cpu_per_call(gateway, folder, options, headers):
    before = measure.cpu_seconds(gateway.pid)
    run = measure.wrk(folder, gateway.port, "/rpc/bench/add", options.connections, options.seconds, "[1,2]", headers)
    if run["failed"]:
        raise RuntimeError(f"{gateway.name}: {run['failed']} calls failed")
    return (measure.cpu_seconds(gateway.pid) - before) * 1e6 / run["requests"]


def processors():
    """How to run the gateways, and what else there is, each on processors of its own; nothing where there is one."""
    first, *others = sorted(os.sched_getaffinity(0))
    if not others:
        return []
    os.sched_setaffinity(0, others)
    return ["taskset", "--cpu-list", str(first)]


def page_times(port, headers, count=20):
    times = []
    for _ in range(count):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        start = time.monotonic()
        connection.request("GET", "/metrics", headers=headers)
        answer = connection.getresponse()
        answer.read()
        times.append((time.monotonic() - start) * 1e3)
        if answer.status != 200:
            raise RuntimeError(f"/metrics: {answer.status}")
        connection.close()
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gateway")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--streams", type=int, default=10_000)
    options = parser.parse_args()
    options.gateway = str(pathlib.Path(options.gateway).resolve())
    alone = processors()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        measure.build(folder)
        keys = folder / "keys.yaml"
        key = subprocess.run([options.gateway, "keygen", "apikey", "--subject", "bench", "--file", keys],
                             capture_output=True, text=True, check=True).stdout.split()[0]
        headers = {"Authorization": f"Bearer {key}", "Origin": "https://app.example"}
        cors = '  cors: { origins: ["https://app.example"] }\n'
        plain = write(folder, "plain", 18080)
        guarded = write(folder, "guarded", 18086, GUARDED.format(keys=keys), cors)
        backend = subprocess.Popen([folder / "backend", measure.RPC])
        publisher = subprocess.Popen([folder / "publisher", measure.SUB, "0.01", "600", "1"], stdout=subprocess.DEVNULL)
        running = []
        try:
            for path, port in ((plain, 18080), (guarded, 18086)):
                running.append(measure.Contender(path.stem, [*alone, options.gateway, "serve", "--config", path], port, "/", folder))
            without, with_all = running
            rounds = []
            for _ in range(options.rounds):
                pair = cpu_per_call(without, folder, options, {}), cpu_per_call(with_all, folder, options, headers)
                rounds.append(pair)
                print(f"{pair[0]:.2f} us without, {pair[1]:.2f} us with all: {pair[1] / pair[0]:.3f}", flush=True)
            print(f"ratio: {statistics.median(b / a for a, b in rounds):.3f}")
            load = subprocess.Popen([folder / "sse_load", "18080", "/sub/news?topic=none", str(options.streams), "60"],
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                time.sleep(max(2.0, options.streams / 1500))
                times = page_times(18080, {})
                print(f"/metrics beside {options.streams} streams: median {statistics.median(times):.1f} ms, most {max(times):.1f} ms")
            finally:
                load.kill()
                load.wait()
        finally:
            for gateway in running:
                gateway.stop()
            for process in (backend, publisher):
                process.terminate()
                process.wait()


if __name__ == "__main__":
    main()
