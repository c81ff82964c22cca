"""Attacks a gateway that was built with a sanitizer, and says whether the sanitizer found anything.

Usage: sanitize.py GATEWAY [--clients 20000] [--mutations 20000] [--seed 1]

Behind the gateway is the aiozmq service of peer_server.py, and another one that dials in where the gateway is bound. While honest clients
call both and read events, there come: every request
of Tests/Support/raw-requests.txt, alone and between two others; clients that send a request or a part of one, and vanish;
mutations of the raw requests. Then the gateway is stopped by SIGTERM. The exit status is 1 when a sanitizer reported anything, when an
honest client had a wrong answer or none, or when the gateway did not end with 0.
"""
import argparse
import asyncio
import collections
import json
import os
import pathlib
import random
import re
import socket
import struct
import subprocess
import sys
import tempfile
import time

from raw_requests import corpus, mutated

HERE = pathlib.Path(__file__).resolve().parent
# Chunked bodies are accepted, so that their reading is tried above any libmicrohttpd, and many replies are too long for a shard.
CONFIGURATION = """
http: {{ listen: ["127.0.0.1:0"], threads: 2, chunked: accept, limits: {{ connections-per-address: 10000, inline: 4KiB }} }}
grace: 10s
services:
  calc: {{ pattern: rpc, connect: ["{rpc}"], timeout: 5s, max-timeout: 60s, methods: {{ safe: ["*"] }} }}
  bound: {{ pattern: rpc, bind: ["ipc://{folder}/rpc"], timeout: 5s, max-timeout: 60s, methods: {{ safe: ["*"] }} }}
  jobs: {{ pattern: pipeline, connect: ["{pipeline}"] }}
  tasks: {{ pattern: pipeline, bind: ["ipc://{folder}/pipeline"] }}
  news:
    pattern: pubsub
    publish: {{ connect: ["{pubsub}"] }}
    subscribe: {{ connect: ["{publish}"], linger: 50ms, last: {{}} }}
"""
ENVIRONMENT = {
    "ASAN_OPTIONS": "exitcode=66:detect_leaks=1",
    "TSAN_OPTIONS": f"exitcode=66:halt_on_error=0:suppressions={HERE / 'tsan.supp'}",
}
OTHER = b"GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST = b"GET /live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def post(path, body, more=b""):
    return (
        b"POST " + path + b" HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" + more
        + b"Content-Length: %d\r\n\r\n" % len(body) + body)


def get(path, more=b""):
    return b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\n" + more + b"\r\n"


REQUESTS = [
    post(b"/rpc/calc/add", b"[2,3]"),
    post(b"/rpc/calc/add", b"[2,3]") * 3,
    post(b"/rpc/calc/add", b"[2,3]", b"Expect: 100-continue\r\n"),
    post(b"/rpc/calc/slow", b"[0.02]"),
    post(b"/rpc/calc/slow", b"[3]"),
    post(b"/rpc/calc/slow", b"[3]", b"Request-Timeout: 0.01\r\n"),
    post(b"/rpc/calc/echo", b'["' + b"a" * 300_000 + b'"]'),
    post(b"/rpc/calc/echo", b'["' + b"a" * 3_000_000 + b'"]'),
    post(b"/rpc/calc/large", b"[1000000]"),
    post(b"/rpc/calc/large_list", b"[20000]"),
    post(b"/rpc/calc/raise_builtin", b'["ValueError","x"]'),
    post(b"/rpc/nobody/add", b"[]"),
    post(b"/rpc/bound/add", b"[2,3]"),
    post(b"/rpc/bound/slow", b"[0.02]"),
    post(b"/rpc/bound/slow", b"[3]", b"Request-Timeout: 0.01\r\n"),
    post(b"/rpc/bound/echo", b'["' + b"a" * 300_000 + b'"]'),
    post(b"/push/tasks/work", b"[1]"),
    b"POST /rpc/calc/echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"2\r\n[1\r\n1;x=y\r\n]\r\n0\r\nTrailer: x\r\n\r\n",
    get(b"/rpc/calc/add?a:=2&b:=3"),
    get(b"/sub/news"),
    get(b"/sub/news?topic=clock&topic=a", b"Last-Event-ID: x-1\r\n"),
    get(b"/sub/news?topic=clock", b"Accept: application/x-ndjson\r\n"),
    get(b"/sub/news?topic=cl*&_from=earliest"),
    get(b"/sub/news?topic=clock&_from=snapshot"),
    get(b"/sub/news?topic=clock&_poll=1&_from=earliest"),
    get(b"/sub/news/last?topic=clock"),
    b"HEAD /sub/news HTTP/1.1\r\nHost: localhost\r\n\r\n",
    get(b"/sub/news/topics"),
    get(b"/openapi.json"),
    get(b"/metrics"),
    post(b"/push/jobs/work", b"[1]"),
    post(b"/pub/news/clock/tick", b"[1]"),
]


class Attack:
    def __init__(self, port, seed):
        self.address = ("127.0.0.1", port)
        self.source = random.Random(seed)
        self.loop = asyncio.get_running_loop()
        self.is_over = False
        self.calls, self.events, self.faults = 0, 0, []

    async def together(self, jobs, width=64):
        """Runs the jobs, some at a time."""
        jobs = iter(jobs)

        async def work():
            for job in jobs:
                await job

        await asyncio.gather(*(work() for _ in range(width)))

    async def connected(self):
        client = socket.socket()
        client.setblocking(False)
        await self.loop.sock_connect(client, self.address)
        return client

    async def converse(self, data):
        """Sends it, and reads until nothing more comes."""
        client = await self.connected()
        try:
            await asyncio.wait_for(self.loop.sock_sendall(client, data), 5)
            while await asyncio.wait_for(self.loop.sock_recv(client, 65536), 0.3):
                pass
        except (asyncio.TimeoutError, OSError):
            pass
        client.close()

    async def vanish(self):
        """Sends a request or a part of one and, perhaps when something came back, ends the connection in one of several ways."""
        data = self.source.choice(REQUESTS)
        if self.source.random() < 0.5:
            data = data[:self.source.randrange(len(data))]
        way = self.source.choice(["reset", "reset", "close", "half", "half, reset", "read, reset", "read, close"])
        client = await self.connected()
        try:
            await asyncio.wait_for(self.loop.sock_sendall(client, data), 0.2)
            if "half" in way:
                client.shutdown(socket.SHUT_WR)
            if "read" in way or way == "half":
                await asyncio.wait_for(self.loop.sock_recv(client, 4096), 0.2)
            elif self.source.random() < 0.5:
                await asyncio.sleep(self.source.random() * 0.01)
        except (asyncio.TimeoutError, OSError):
            pass
        if "reset" in way:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()

    async def until_served(self, service):
        """Waits until a service answers."""
        deadline = self.loop.time() + 60
        answer = b""
        while b" 200 " not in answer:
            if self.loop.time() > deadline:
                sys.exit(f"{service} does not answer: {answer!r}")
            client = await self.connected()
            await self.loop.sock_sendall(client, post(b"/rpc/%s/add" % service, b"[2,3]"))
            answer = await self.loop.sock_recv(client, 4096)
            client.close()

    async def call_on(self, service):
        """An honest client: calls the service until the attack is over."""
        while not self.is_over:
            reader, writer = await asyncio.open_connection(*self.address)
            try:
                for number in range(200):
                    if self.is_over:
                        break
                    # The service is busy with what the others ask for.
                    writer.write(post(b"/rpc/%s/add" % service, b"[%d,1]" % number, b"Request-Timeout: 60\r\n"))
                    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 90)
                    length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
                    body = await reader.readexactly(length)
                    if b" 200 " not in head or body != b"%d" % (number + 1):
                        self.faults.append(f"a call was answered with {head[:15]!r} {body[:200]!r}")
                    self.calls += 1
            except (asyncio.TimeoutError, asyncio.IncompleteReadError, OSError) as error:
                self.faults.append(f"a call was not answered: {error!r}")
            writer.close()

    async def read_on(self):
        """An honest reader of events."""
        reader, writer = await asyncio.open_connection(*self.address, limit=1 << 22)
        writer.write(get(b"/sub/news?topic=clock"))
        last = None
        while not self.is_over:
            try:
                line = await asyncio.wait_for(reader.readline(), 30)
            except asyncio.TimeoutError:
                line = b""
            if not line or line.startswith(b"event: gap") or line.startswith(b"event: lagged"):
                self.faults.append(f"a stream ended or had a gap: {line!r}")
                break
            if found := re.match(rb"id: .*-(\d+)\s", line):
                number = int(found[1])
                # Those of other topics are numbered too.
                if last is not None and number <= last:
                    self.faults.append(f"event {number} came behind {last}")
                last = number
                self.events += 1
        writer.close()

    async def run(self, clients, mutations):
        services = [b"calc", b"bound"]
        for service in services:
            await self.until_served(service)
        honest = [asyncio.create_task(self.call_on(service)) for service in services] + [asyncio.create_task(self.read_on())]
        requests = [request for variants in corpus("calc") for request in variants]
        seeds = [variants[0] for variants in corpus("calc", most=200)]
        both = (self.converse(data) for request in requests for data in (request, OTHER + request + LAST))
        for what, jobs in [
            (f"{len(requests)} raw requests, alone and between others", both),
            (f"{clients} clients that vanish", (self.vanish() for _ in range(clients))),
            (f"{mutations} mutations", (self.converse(mutated(seeds, self.source) + LAST) for _ in range(mutations))),
        ]:
            start = time.monotonic()
            await self.together(jobs)
            print(f"{what}: {time.monotonic() - start:.0f} s", flush=True)
        self.is_over = True
        await asyncio.gather(*honest)
        print(f"meanwhile {self.calls} honest calls, {self.events} events, {len(self.faults)} faults")
        if not self.calls or not self.events:
            self.faults.append("the honest clients did nothing")
        for fault in self.faults[:20]:
            print(f"    {fault}")
        return not self.faults


def start(arguments, log, environment={}):
    return subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, env={**os.environ, **environment})


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("gateway", help="the program")
    options.add_argument("--clients", type=int, default=20_000, help="clients that vanish")
    options.add_argument("--mutations", type=int, default=20_000, help="mutations of raw requests")
    options.add_argument("--seed", type=int, default=1, help="the same makes the same mutations")
    options = options.parse_args()
    program = pathlib.Path(options.gateway).read_bytes()
    if b"__asan_init" not in program and b"__tsan_init" not in program:
        sys.exit(f"{options.gateway} is not built with a sanitizer")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        with open(folder / "service.log", "w") as log:
            service = start([sys.executable, HERE / "peer_server.py", "--exit-on-eof", "--tick", "0.02"], log)
        endpoints = json.loads(service.stdout.readline())
        (folder / "gateway.yaml").write_text(CONFIGURATION.format(folder=folder, **endpoints))
        # What it says goes to a file, so that it never waits.
        with open(folder / "gateway.log", "w") as log:
            gateway = subprocess.Popen(
                [options.gateway, "serve", "--config", folder / "gateway.yaml"], stdout=log, stderr=log,
                env={**os.environ, **ENVIRONMENT})
        with open(folder / "worker.log", "w") as log:
            worker = start(
                [sys.executable, HERE / "peer_server.py", "--exit-on-eof", "--dial", "--rpc", f"ipc://{folder}/rpc",
                 "--pipeline", f"ipc://{folder}/pipeline"], log)
        try:
            is_sound = attacked(gateway, folder / "gateway.log", options)
        finally:
            gateway.kill()
            gateway.wait()
            for process in (service, worker):
                process.stdin.close()
                process.wait()
    sys.exit(0 if is_sound else 1)


def attacked(gateway, log, options):
    deadline = time.monotonic() + 60
    while not (port := re.search(r"addresses=127\.0\.0\.1:(\d+)", log.read_text(errors="replace"))):
        if gateway.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"the gateway did not start:\n{log.read_text(errors='replace')}")
        time.sleep(0.05)

    async def attack():
        return await Attack(int(port[1]), options.seed).run(options.clients, options.mutations)

    is_sound = asyncio.run(attack())
    gateway.terminate()
    try:
        status = gateway.wait(60)
    except subprocess.TimeoutExpired:
        status = "not at all"
    text = log.read_text(errors="replace")
    reports = re.findall(r"(?:ERROR|WARNING): \w+Sanitizer.*?SUMMARY: [^\n]*", text, re.DOTALL)
    for summary, number in collections.Counter(report[report.rindex("SUMMARY"):] for report in reports).items():
        print(f"{number} times {summary}")
    if reports:
        print(f"The first:\n{reports[0][:50_000]}")
    elif status != 0:
        print(text[-5_000:])
    print(f"the gateway ended with {status}; {len(reports)} reports of the sanitizer")
    return is_sound and status == 0 and not reports


main()
