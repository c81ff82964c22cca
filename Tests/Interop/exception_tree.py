#!/usr/bin/env python3
"""Print Python's exceptions and aiozmq's, a JSON object on each line: the class, and all that it is one of, by dotted names."""
import builtins
import json

import aiozmq.rpc.base as base


def dotted(cls):
    return cls.__module__ + "." + cls.__qualname__


def main():
    classes = [getattr(builtins, name) for name in dir(builtins)] + [getattr(base, name) for name in dir(base)]
    classes = {cls for cls in classes if isinstance(cls, type) and issubclass(cls, BaseException)}
    classes = {cls for cls in classes if cls.__module__ in ("builtins", "aiozmq.rpc.base")}
    for cls in sorted(classes, key=dotted):
        print(json.dumps({"class": dotted(cls), "above": [dotted(c) for c in cls.__mro__ if c is not object]}))


main()
