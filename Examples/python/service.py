#!/usr/bin/env python3
"""A small service on aiozmq that shows the three patterns of aiozmq.rpc.

    rpc       15555   math: add, divide, price, slow, and the namespaces stats and jobs
    pipeline  15556   jobs: resize
    SUB       15557   news in: whatever arrives is published again under its own topic
    PUB       15558   news out: the topic "clock" ticks every second

It needs no change to stand behind the gateway, and the gateway is no part of it.
"""
import argparse
import asyncio
import datetime
import signal
import statistics

import aiozmq
import zmq
from aiozmq import rpc

PRICES = {"apple": 0.25, "pear": 0.3}


class Stats(rpc.AttrHandler):
    @rpc.method
    def mean(self, *values):
        return statistics.fmean(values)

    @rpc.method
    def spread(self, values, *, unit=""):
        return {"low": min(values), "high": max(values), "unit": unit}


class Jobs(rpc.AttrHandler):
    """The pipeline: methods whose results nobody waits for."""

    def __init__(self):
        self.finished = []

    @rpc.method
    async def resize(self, name, width=100):
        await asyncio.sleep(0.1)
        self.finished.append({"name": name, "width": width})
        print("job", f"resize {name} to {width}", flush=True)


class JobLog(rpc.AttrHandler):
    """What the pipeline has done, for callers of the rpc service."""

    def __init__(self, jobs):
        self._jobs = jobs

    @rpc.method
    def finished(self):
        return self._jobs.finished


class Math(rpc.AttrHandler):
    def __init__(self, jobs):
        self.stats = Stats()
        self.jobs = JobLog(jobs)

    @rpc.method
    def add(self, a, b=0):
        return a + b

    @rpc.method
    def divide(self, a, b):
        if b == 0:
            raise ValueError("b must not be 0")
        return a / b

    @rpc.method
    def price(self, name):
        return PRICES[name]

    @rpc.method
    async def slow(self, seconds):
        await asyncio.sleep(seconds)
        return "done"


async def tick(publisher):
    number = 0
    while True:
        number += 1
        now = datetime.datetime.now(datetime.timezone.utc)
        await publisher.publish("clock").tick(number, now.isoformat(timespec="seconds"))
        await asyncio.sleep(1)


async def republish(stream, publisher):
    """Passes every message on as it came: topic, method, args and kwargs, a frame each."""
    while True:
        publisher.transport.write(await stream.read())


async def main():
    parser = argparse.ArgumentParser(description="A small service on aiozmq.")
    parser.add_argument("--host", default="127.0.0.1", help="the numeric address to bind (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, default=15555, help="the first of four ports (default: 15555)")
    options = parser.parse_args()
    where = [f"tcp://{options.host}:{options.port + offset}" for offset in range(4)]

    jobs = Jobs()
    math = await rpc.serve_rpc(Math(jobs), bind=where[0])
    pipeline = await rpc.serve_pipeline(jobs, bind=where[1], log_exceptions=True)
    incoming = await aiozmq.create_zmq_stream(zmq.SUB, bind=where[2])
    incoming.transport.subscribe(b"")
    publisher = await rpc.connect_pubsub(bind=where[3])
    for name, endpoint in zip(("rpc", "pipeline", "sub", "pub"), where):
        print(f"{name:<8} {endpoint}", flush=True)

    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    tasks = [asyncio.create_task(tick(publisher)), asyncio.create_task(republish(incoming, publisher))]
    ended = asyncio.create_task(stopped.wait())
    # A task that fails ends the service; it does not go on without its half.
    await asyncio.wait([ended, *tasks], return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    incoming.close()
    for service in (math, pipeline, publisher):
        service.close()
        await service.wait_closed()
    for result in results:
        if not isinstance(result, asyncio.CancelledError):
            raise result


if __name__ == "__main__":
    asyncio.run(main())
