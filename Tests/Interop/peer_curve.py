#!/usr/bin/env python3
"""An aiozmq service over CURVE: peer_curve.py PUBLIC SECRET, the server's keys. Whoever knows the public one may call.

Prints {"rpc": endpoint} and ends with its input.
"""
import asyncio
import json
import sys

import aiozmq.rpc as rpc
import zmq


class Handler(rpc.AttrHandler):
    @rpc.method
    def add(self, a, b):
        return a + b


async def main(public, secret):
    service = await rpc.serve_rpc(Handler())
    service.transport.setsockopt(zmq.CURVE_SERVER, 1)
    service.transport.setsockopt(zmq.CURVE_PUBLICKEY, public.encode())
    service.transport.setsockopt(zmq.CURVE_SECRETKEY, secret.encode())
    endpoint = await service.transport.bind("tcp://127.0.0.1:*")
    print(json.dumps({"rpc": endpoint}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    service.close()
    await service.wait_closed()


asyncio.run(main(*sys.argv[1:]))
