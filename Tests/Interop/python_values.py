#!/usr/bin/env python3
"""An aiozmq service whose methods return what an expression in Python is, and how Python shows an argument. Prints its endpoint and ends with
its input."""
import asyncio
import collections
import dataclasses
import datetime
import decimal
import enum
import sys
import uuid
import zoneinfo

import aiozmq.rpc as rpc


@dataclasses.dataclass
class Apple:
    colour: str


class Values(rpc.AttrHandler):
    @rpc.method
    def value(self, expression):
        names = {"collections": collections, "dataclasses": dataclasses, "datetime": datetime, "decimal": decimal, "enum": enum,
                 "uuid": uuid, "zoneinfo": zoneinfo, "Apple": Apple}
        return eval(expression, names)

    @rpc.method
    def shown(self, value):
        return repr(value)


async def main():
    service = await rpc.serve_rpc(Values(), bind="tcp://127.0.0.1:*")
    print(next(iter(service.transport.bindings())), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    service.close()
    await service.wait_closed()


asyncio.run(main())
