#!/usr/bin/env python3
"""Measures a gateway beside the floor and the peers, in turn, in one run, and prints ratios.

    measure.py rpc --ours "COMMAND" [--connections 64] [--seconds 4] [--rounds 5] [--peers floor,http,aiohttp,webdis]
    measure.py sse --ours "COMMAND" [--streams 1000] [--rate 100] [--seconds 5] [--rounds 3] [--peers floor,nchan,aiohttp]

COMMAND serves gateway.yaml (127.0.0.1:18080). Without --ours only the peers run. Needs gcc, wrk, libzmq3-dev and
libmicrohttpd-dev; for the peers webdis + redis-server, libnginx-mod-nchan + nginx-light, and a Python with
Tests/requirements.txt installed, and aiohttp and uvloop (named by --python). A missing peer is skipped and said so.

The figure to trust is `cpu_us`: processor microseconds of the contender's process tree per request or per delivered event.
Throughput and latency depend on what else the machine does; compare them only within one run. The ratios are medians
over the rounds of ours divided by the contender, round by round."""

import argparse
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
TICK = os.sysconf("SC_CLK_TCK")
RPC, SUB = "tcp://127.0.0.1:15999", "tcp://127.0.0.1:15998"
PORT = {"ours": 18080, "floor": 18081, "aiohttp": 18082, "webdis": 18083, "nchan": 18084, "http": 18085}


def tree(pid):
    """The process and all its descendants."""
    found = [pid]
    for one in found:
        try:
            for task in pathlib.Path(f"/proc/{one}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
        except OSError:
            pass
    return found


def cpu_seconds(pid):
    total = 0
    for one in tree(pid):
        try:
            fields = pathlib.Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
        except OSError:
            pass
    return total / TICK


def rss_kib(pid):
    total = 0
    for one in tree(pid):
        try:
            total += int(pathlib.Path(f"/proc/{one}/status").read_text().split("VmRSS:")[1].split()[0])
        except (OSError, IndexError):
            pass
    return total


def build(folder):
    """Compiles the C tools into `folder`."""
    for name in ("backend", "floor_rpc", "floor_sse", "publisher", "sse_load"):
        subprocess.run(["gcc", "-O2", "-o", folder / name, HERE / f"{name}.c", "-lzmq", "-lmicrohttpd"], check=True)


class Contender:
    def __init__(self, name, command, port, path, cwd=None):
        self.name, self.command, self.port, self.path = name, command, port, path
        log = open(cwd / f"{name}.log", "w") if cwd else subprocess.DEVNULL
        self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=cwd if name != "ours" else None, start_new_session=True)
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        self.stop()
        raise RuntimeError(f"{name} did not listen on {port}")

    @property
    def pid(self):
        return self.process.pid

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def webdis(folder):
    (folder / "webdis.json").write_text(json.dumps({
        "redis_host": "127.0.0.1", "redis_port": 16379, "http_host": "127.0.0.1", "http_port": PORT["webdis"], "threads": 1, "pool_size": 4,
        "daemonize": False, "websockets": False, "database": 0, "verbosity": 0, "logfile": str(folder / "webdis.out"), "acl": [{"disabled": []}]}))
    return ["webdis", str(folder / "webdis.json")]


def nchan(folder):
    (folder / "nchan.conf").write_text(f"""
load_module /usr/lib/nginx/modules/ngx_nchan_module.so;
worker_processes 1; daemon off; error_log {folder}/nchan.err warn; pid {folder}/nchan.pid; worker_rlimit_nofile 20000;
events {{ worker_connections 19000; }}
http {{ access_log off; nchan_max_reserved_memory 256M; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{PORT['nchan']} backlog=4096;
    location = /pub {{ nchan_publisher; nchan_channel_id t; nchan_message_buffer_length 1000; }}
    location = /sub {{ nchan_subscriber eventsource; nchan_channel_id t; nchan_subscriber_first_message newest; }} }} }}""")
    return ["nginx", "-c", str(folder / "nchan.conf")]


def http_publish(port, rate, seconds, delay):
    """Posts stamped 100-byte messages to Nchan at a steady rate."""
    time.sleep(delay)
    connection, start, sent = http.client.HTTPConnection("127.0.0.1", port), time.monotonic(), 0
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while time.monotonic() - start < seconds:
        wait = start + sent / rate - time.monotonic()
        if wait > 0:
            time.sleep(wait)
            continue
        text = f"@{time.monotonic_ns()}@".ljust(100, "x")
        connection.request("POST", "/pub", json.dumps({"topic": "bench", "method": "tick", "args": [text], "kwargs": {}}))
        connection.getresponse().read()
        sent += 1


def wrk(folder, port, path, connections, seconds, body, headers=()):
    """One wrk run; requests, rate, latencies in ms, failures."""
    (folder / "post.lua").write_text(f"""
wrk.method = "{'POST' if body else 'GET'}"; wrk.body = {json.dumps(body) if body else 'nil'}; wrk.headers["Content-Type"] = "application/json"
{"; ".join(f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}" for name, value in dict(headers).items())}
done = function(s, l, r) io.write(string.format("JSON {{\\"requests\\": %d, \\"seconds\\": %f, \\"p50_ms\\": %f, \\"p99_ms\\": %f, \\"failed\\": %d}}\\n",
  s.requests, s.duration / 1e6, l:percentile(50) / 1e3, l:percentile(99) / 1e3, s.errors.connect + s.errors.read + s.errors.write + s.errors.status + s.errors.timeout)) end""")
    out = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", folder / "post.lua", f"http://127.0.0.1:{port}{path}"],
                         capture_output=True, text=True, check=True).stdout
    return json.loads(out.split("JSON ", 1)[1])


def available(wanted, python):
    have = {"floor": True, "http": True, "webdis": shutil.which("webdis") and shutil.which("redis-server"),
            "nchan": pathlib.Path("/usr/lib/nginx/modules/ngx_nchan_module.so").exists(),
            "aiohttp": subprocess.run([python, "-c", "import aiohttp, aiozmq, msgpack"], capture_output=True).returncode == 0}
    for name in wanted:
        if not have.get(name):
            print(f"skipped: {name} is not installed", file=sys.stderr)
    return [name for name in wanted if have.get(name)]


def measure_rpc(o, folder):
    backend = subprocess.Popen([folder / "backend", RPC])
    redis, running = None, []
    try:
        for name in available(o.peers.split(","), o.python):
            if name == "webdis":
                redis = subprocess.Popen(["redis-server", "--port", "16379", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"], stdout=subprocess.DEVNULL)
                time.sleep(0.5)
                subprocess.run(["redis-cli", "-p", "16379", "set", "k", "3"], stdout=subprocess.DEVNULL)
            command, path = {"floor": ([folder / "floor_rpc", str(PORT["floor"]), RPC], "/rpc"), "http": ([folder / "floor_rpc", str(PORT["http"])], "/"),
                             "aiohttp": ([o.python, HERE / "peers/aiohttp_gateway.py", str(PORT["aiohttp"]), RPC], "/rpc/add"),
                             "webdis": (webdis(folder) if name == "webdis" else None, "/GET/k")}[name]
            running.append(Contender(name, command, PORT[name], path, folder))
        if o.ours:
            running.append(Contender("ours", o.ours.split(), PORT["ours"], "/rpc/bench/add", folder))
            answer = http.client.HTTPConnection("127.0.0.1", PORT["ours"], timeout=10)
            answer.request("POST", "/rpc/bench/add", "[1,2]", {"Content-Type": "application/json"})
            reply = answer.getresponse()
            body = reply.read()
            if reply.status != 200 or json.loads(body) != 3:
                raise RuntimeError(f"ours answered {reply.status} {body[:200]!r}, not 200 and 3")
        rows = {c.name: [] for c in running}
        for _ in range(o.rounds):
            for c in running:
                before = cpu_seconds(c.pid)
                run = wrk(folder, c.port, c.path, o.connections, o.seconds, None if c.name == "webdis" else "[1,2]")
                run["cpu_us"] = (cpu_seconds(c.pid) - before) * 1e6 / max(1, run["requests"])
                run["per_second"] = run["requests"] / run["seconds"]
                run["rss_kib"] = rss_kib(c.pid)
                rows[c.name].append(run)
        return rows
    finally:
        for c in running:
            c.stop()
        for p in (backend, redis):
            if p:
                p.terminate()
                p.wait()


def measure_sse(o, folder):
    names = available(o.peers.split(","), o.python) + (["ours"] if o.ours else [])
    rows = {name: [] for name in names}
    for _ in range(o.rounds):
        for name in names:
            command, path = {"floor": ([folder / "floor_sse", str(PORT["floor"]), SUB], "/"), "nchan": (nchan(folder) if name == "nchan" else None, "/sub"),
                             "aiohttp": ([o.python, HERE / "peers/aiohttp_gateway.py", str(PORT["aiohttp"]), RPC, SUB], "/sub"),
                             "ours": (o.ours.split() if o.ours else None, "/sub/news?topic=bench")}[name]
            c = Contender(name, command, PORT[name], path, folder)
            try:
                time.sleep(0.3)
                empty = rss_kib(c.pid)
                opening = max(2.0, o.streams / 1500)
                load = subprocess.Popen([folder / "sse_load", str(c.port), path, str(o.streams), str(opening + o.seconds + 3)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
                time.sleep(opening - 0.5)
                full, before = rss_kib(c.pid), cpu_seconds(c.pid)
                if name == "nchan":
                    publisher = threading.Thread(target=http_publish, args=(c.port, o.rate, o.seconds, 1))
                    publisher.start()
                    publisher.join()
                else:
                    subprocess.run([folder / "publisher", SUB, str(o.rate), str(o.seconds), "1"], stdout=subprocess.DEVNULL)
                run = json.loads(load.communicate()[0])
                run["cpu_us"] = (cpu_seconds(c.pid) - before) * 1e6 / max(1, run["events"])
                run["expected"] = int(o.streams * o.rate * o.seconds)
                run["kib_per_stream"] = (full - empty) / max(1, run["streams"])
                rows[name].append(run)
            finally:
                c.stop()
    return rows


def report(rows, columns):
    table = {name: {k: statistics.median(r[k] for r in runs) for k in columns} for name, runs in rows.items()}
    print("| contender | " + " | ".join(columns) + " |\n|---|" + "---|" * len(columns))
    for name, row in table.items():
        print(f"| {name} | " + " | ".join(f"{row[k]:,.1f}" for k in columns) + " |")
    ratios = {}
    if "ours" in rows:
        for name, runs in rows.items():
            if name != "ours":
                ratios[name] = {k: statistics.median(a[k] / b[k] for a, b in zip(rows["ours"], runs) if b[k]) for k in ("cpu_us", "per_second") if any(b[k] for b in runs)}
        for name, ratio in ratios.items():
            print(f"ours / {name}: " + ", ".join(f"{k} {v:.2f}" for k, v in ratio.items()))
    return {"median": table, "ours_over": ratios}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("what", choices=["rpc", "sse"])
    p.add_argument("--ours")
    p.add_argument("--peers")
    p.add_argument("--connections", type=int, default=64)
    p.add_argument("--streams", type=int, default=1000)
    p.add_argument("--rate", type=float, default=100)
    p.add_argument("--seconds", type=int, default=4)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--python", default=sys.executable)
    p.add_argument("--json", help="write every figure to this file")
    o = p.parse_args()
    o.peers = o.peers if o.peers is not None else ("floor,http,aiohttp,webdis" if o.what == "rpc" else "floor,nchan,aiohttp")
    o.peers = o.peers or "floor"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        os.chmod(folder, 0o755)
        build(folder)
        rows = (measure_rpc if o.what == "rpc" else measure_sse)(o, folder)
    columns = ["per_second", "cpu_us", "p50_ms", "p99_ms"] + (["failed", "rss_kib"] if o.what == "rpc" else ["events", "expected", "refused", "closed", "kib_per_stream"])
    result = report(rows, columns)
    if o.json:
        pathlib.Path(o.json).write_text(json.dumps({"options": {k: str(v) for k, v in vars(o).items()}, "rows": rows, **result}, indent=1))


if __name__ == "__main__":
    main()
