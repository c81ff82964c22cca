#!/usr/bin/env python3
"""Exception groups on the wire.

    peer_groups.py            serves group(), and ping(), twice: with a translation table that has exceptions, and without. Prints
                              {"rpc": [endpoint, endpoint]} and ends with its input.
    peer_groups.py ENDPOINT   calls the names that come in, one a line, with that table; prints what each raises.
"""
import asyncio
import builtins
import json
import sys

import aiozmq.rpc as rpc
import msgpack

CODE = 20


def pack(exc):
    kind = type(exc)
    return msgpack.packb(
        (f"{kind.__module__}.{kind.__qualname__}", exc.args, repr(exc)),
        default=lambda inner: msgpack.ExtType(CODE, pack(inner)))


def unpack(data):
    name, args, _ = msgpack.unpackb(data, ext_hook=lambda code, inner: unpack(inner))
    return getattr(builtins, name.removeprefix("builtins."))(*args)


TABLE = {CODE: (BaseException, pack, unpack)}


@rpc.method
def group():
    raise ExceptionGroup("two", [ValueError("no"), ExceptionGroup("one", [KeyError("k")])])


@rpc.method
def ping():
    return "pong"


async def serve():
    methods = {"group": group, "ping": ping}
    services = [await rpc.serve_rpc(methods, bind="tcp://127.0.0.1:*", translation_table=t) for t in (TABLE, None)]
    # What aiozmq cannot send is told by the loop alone.
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    print(json.dumps({"rpc": [next(iter(service.transport.bindings())) for service in services]}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    for service in services:
        service.close()
        await service.wait_closed()


async def call(endpoint):
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    client = await rpc.connect_rpc(connect=endpoint, timeout=1, translation_table=TABLE)
    for line in sys.stdin:
        try:
            out = await getattr(client.call, line.strip())()
        except Exception as exc:
            out = repr(exc)
        print(json.dumps({"out": out}), flush=True)
    client.close()
    await client.wait_closed()


asyncio.run(call(sys.argv[1]) if len(sys.argv) > 1 else serve())
