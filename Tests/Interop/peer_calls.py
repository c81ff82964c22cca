#!/usr/bin/env python3
"""Make many calls with aiozmq's own client in one process.

    peer_calls.py ENDPOINT [CALLS]

Each line of the file CALLS, or of the standard input, is JSON: {"method": ..., "args": [...], "kwargs": {...}}, values in the notation of
peer_json.py; {"$zeros": n} is so many zero bytes. One line of output for each, in order: {"ok": true, "result": ...} or
{"ok": false, "error": ...}. Bytes above 1 MiB are told by their digest.
"""
import asyncio
import hashlib
import json
import sys

import aiozmq.rpc as rpc

from peer_client import finish, named
from peer_json import ERROR_TABLE, TRANSLATION_TABLE, exception_to_json, from_json, to_json


def brief(value):
    if isinstance(value, bytes) and len(value) > 1 << 20:
        return {"$sha256": hashlib.sha256(value).hexdigest(), "count": len(value)}
    return to_json(value)


async def main(endpoint, calls):
    # Nothing here is late but on a busy machine, where 16 MiB take a debug build more than 20 s.
    client = await rpc.connect_rpc(
        connect=endpoint, timeout=100, error_table=ERROR_TABLE, translation_table=TRANSLATION_TABLE)
    for line in calls:
        call = json.loads(line)
        args, kwargs = from_json(call.get("args", [])), from_json(call.get("kwargs", {}))
        try:
            out = {"ok": True, "result": brief(await named(client.call, call["method"])(*args, **kwargs))}
        except Exception as exc:
            out = {"ok": False, "error": exception_to_json(exc)}
        print(json.dumps(out), flush=True)
    await finish(client, 0)


asyncio.run(main(sys.argv[1], open(sys.argv[2]) if len(sys.argv) > 2 else sys.stdin))
