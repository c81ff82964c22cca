#!/usr/bin/env python3
"""An aiozmq service that tells what it can be called with, by Examples/python/describe.py. Prints {"rpc": endpoint} and ends with its input."""
import asyncio
import datetime
import enum
import json
import pathlib
import sys
import typing

import aiozmq.rpc as rpc

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "Examples" / "python"))
from describe import described  # noqa: E402


class Inner(rpc.AttrHandler):
    limit = 5

    @rpc.method
    async def all(self, x: typing.Any, *, limit: int | None = None, **more: bytes) -> list[float | None]:
        return []

    @rpc.method
    def none(self, when: "datetime") -> None:  # noqa: F821
        pass

    def hidden(self):
        pass


class Outer(rpc.AttrHandler):
    inner = Inner()

    @rpc.method
    def add(self, a: int, b: int = 2) -> int:
        """The sum of two numbers."""
        return a + b

    @rpc.method
    def join(self, *parts: str, by: str = " ") -> str:
        return by.join(parts)


class Colour(enum.Enum):
    RED = 1


class Painter(rpc.AttrHandler):
    @rpc.method
    def paint(self, width: int = 2**70, colour: Colour = Colour.RED, day: "date" = datetime.date(2024, 2, 29)) -> int:  # noqa: F821
        return colour.value


def peers():
    """One handler of attributes, one that is a dictionary with the same in it, and one whose defaults aiozmq does not all send."""
    outer = Outer()
    dictionary = {"add": outer.add, "join": outer.join, "inner": {"all": outer.inner.all, "none": outer.inner.none}}
    return outer, dictionary, Painter()


async def main():
    services = [await rpc.serve_rpc(described(handler), bind="tcp://127.0.0.1:*") for handler in peers()]
    print(json.dumps({"rpc": [next(iter(service.transport.bindings())) for service in services]}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    for service in services:
        service.close()
        await service.wait_closed()


asyncio.run(main())
