#!/usr/bin/env python3
"""An aiozmq service that tells what it can be called with, by the lines of docs/rpc.md. Prints {"rpc": endpoint} and ends with its input."""
import asyncio
import inspect
import json
import sys

import aiozmq.rpc as rpc


class Reserved(rpc.AttrHandler):
    def __init__(self, **methods):
        self.methods = methods

    @rpc.method
    def describe(self):
        def text(annotation):
            return "Any" if annotation is inspect.Signature.empty else inspect.formatannotation(annotation)

        def parameter(p):
            default = {} if p.default is p.empty else {"default": p.default}
            required = not default and "VAR" not in p.kind.name
            return {"name": p.name, "kind": p.kind.name, "type": text(p.annotation), **default, "required": required}

        return {"methods": [
            {"name": name, "parameters": [parameter(p) for p in inspect.signature(f).parameters.values()],
             "result": text(inspect.signature(f).return_annotation), "text": inspect.getdoc(f)}
            for name, f in sorted(self.methods.items())]}


@rpc.method
def add(a: int, b: int = 2) -> int:
    """The sum of two numbers."""
    return a + b


@rpc.method
def join(*parts: str, by: str = " ") -> str:
    return by.join(parts)


async def main():
    methods = {"add": add, "join": join}
    service = await rpc.serve_rpc({**methods, "rpc": Reserved(**methods)}, bind="tcp://127.0.0.1:*")
    print(json.dumps({"rpc": next(iter(service.transport.bindings()))}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    service.close()
    await service.wait_closed()


asyncio.run(main())
