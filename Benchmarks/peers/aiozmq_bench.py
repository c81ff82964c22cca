"""aiozmq's side of libraries.py, with the arguments of library-bench: pull, echo, serve, call. uvloop is used where it is installed."""

import asyncio
import json
import sys
import threading
import time

import aiozmq
import aiozmq.rpc
import zmq

CLOCKS = {}


def now(other=0):
    """Processor time of this process and of the other one, without the thread that plays the peer, and the time of the wall."""
    cpu = time.process_time_ns()
    if other:
        cpu += time.clock_gettime_ns((~other << 3) | 2)
    if "beside" in CLOCKS:
        cpu -= time.clock_gettime_ns(CLOCKS["beside"])
    return cpu, time.monotonic_ns()


def report(begin, end, count):
    print(json.dumps({"cpu_ns": (end[0] - begin[0]) / count, "wall_ns": (end[1] - begin[1]) / count}), flush=True)


def report_round_trips(times):
    times = sorted(times[len(times) // 10:])
    print(json.dumps({"median_ns": times[len(times) // 2], "p99_ns": times[len(times) * 99 // 100]}), flush=True)


class Beside:
    """The peer of an inproc endpoint, on a thread: it shares the interpreter with the measured side."""

    def __init__(self, work):
        self.done, self.let_go = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self.run, args=(work,))
        self.thread.start()
        CLOCKS["beside"] = time.pthread_getcpuclockid(self.thread.ident)

    def run(self, work):
        work(zmq.Context.instance())
        self.done.set()
        self.let_go.wait()  # its clock goes with it

    def join(self):
        self.done.wait()
        self.let_go.set()
        self.thread.join()


async def pull(endpoint, size, count):
    stream = await aiozmq.create_zmq_stream(zmq.PULL, bind=endpoint)
    print(list(stream.transport.bindings())[0], flush=True)

    def push(context):
        socket, message = context.socket(zmq.PUSH), bytes(size)
        socket.connect(endpoint)
        for _ in range(count):
            socket.send(message)
        socket.close()

    beside = Beside(push) if endpoint.startswith("inproc:") else None
    for _ in range(count // 10):
        await stream.read()
    begin = now()
    for _ in range(count - count // 10):
        await stream.read()
    report(begin, now(), count - count // 10)
    if beside:
        beside.join()
    stream.close()


async def echo(endpoint, size, count):
    stream = await aiozmq.create_zmq_stream(zmq.ROUTER, bind=endpoint)
    print(list(stream.transport.bindings())[0], flush=True)
    times = []

    def ping(context):
        socket, message = context.socket(zmq.DEALER), bytes(size)
        socket.connect(endpoint)
        for _ in range(count):
            start = time.monotonic_ns()
            socket.send(message)
            socket.recv()
            times.append(time.monotonic_ns() - start)
        socket.close()

    beside = Beside(ping) if endpoint.startswith("inproc:") else None
    for _ in range(count):
        stream.write(await stream.read())
        await stream.drain()
    if beside:
        await asyncio.get_running_loop().run_in_executor(None, beside.join)
        report_round_trips(times)
    else:
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    stream.close()


class Handler(aiozmq.rpc.AttrHandler):
    @aiozmq.rpc.method
    def add(self, a: int, b: int):
        return a + b


async def serve(endpoint):
    service = await aiozmq.rpc.serve_rpc(Handler(), bind=endpoint)
    print(list(service.transport.bindings())[0], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    service.close()


async def call(endpoint, at_a_time, count, other):
    client = await aiozmq.rpc.connect_rpc(connect=endpoint)

    async def share(count):
        for _ in range(count):
            assert await client.call.add(1, 2) == 3

    async def all_of_them(count):
        each = max(1, count // at_a_time)
        await asyncio.gather(*(share(each) for _ in range(at_a_time)))
        return each * at_a_time

    await all_of_them(count // 10)
    begin = now(other)
    called = await all_of_them(count - count // 10)
    report(begin, now(other), called)
    client.close()


def main():
    what, _, *words = sys.argv[1:]
    work = {"pull": pull, "echo": echo, "serve": serve, "call": call}[what]
    arguments = [words[0]] + [int(word) for word in words[1:]]
    try:
        import uvloop
        uvloop.run(work(*arguments))
    except ImportError:
        asyncio.run(work(*arguments))


if __name__ == "__main__":
    main()
