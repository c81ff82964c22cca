"""rpc.describe for a service on aiozmq: what it can be called with, as a service in Swift tells it.

    service = await rpc.serve_rpc(described(handler), bind="tcp://*:5555")

Types are the annotations. A default that MessagePack has no type for is told only to be one. Names that a handler makes up are not among them.
"""
import collections
import inspect

import msgpack
from aiozmq import rpc


def described(handler):
    """The handler, with rpc.describe beside what it has."""
    answer = {"methods": [description(name, method) for name, method in sorted(methods(handler))]}

    @rpc.method
    def describe():
        return answer

    return collections.ChainMap({"rpc": {"describe": describe}}, handler)


def methods(handler, prefix=""):
    """What can be called, by its dotted names."""
    for name in handler if isinstance(handler, dict) else dir(handler):
        member = None if name.startswith("_") else handler[name]
        if hasattr(member, "__rpc__"):
            yield prefix + name, member
        elif isinstance(member, (dict, rpc.AttrHandler)):
            yield from methods(member, f"{prefix}{name}.")


def description(name, method):
    signature = inspect.signature(method)
    return {"name": name, "parameters": [parameter(p) for p in signature.parameters.values()],
            "result": text(signature.return_annotation), "text": inspect.getdoc(method)}


def parameter(p):
    default = {"default": p.default} if p.default is not p.empty and travels(p.default) else {}
    required = p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    return {"name": p.name, "kind": p.kind.name, "type": text(p.annotation), **default, "required": required}


def travels(value):
    """aiozmq would answer nothing else either with a value among them that it cannot send."""
    try:
        return msgpack.packb(value) is not None
    except (TypeError, ValueError, OverflowError):
        return False


def text(annotation):
    if annotation is inspect.Signature.empty:
        return "Any"
    return annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
