"""Takes plain connections on a port of its own, which it prints, and carries each to a server over TLS.

    tls_tunnel.py PORT AUTHORITY [CERTIFICATE KEY]
"""

import asyncio
import contextlib
import ssl
import sys


async def carry(reader, writer):
    with contextlib.suppress(OSError, ssl.SSLError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError, ssl.SSLError, RuntimeError):
        writer.close()


async def main():
    server, authority, *own = sys.argv[1:]
    context = ssl.create_default_context(cafile=authority)
    context.set_alpn_protocols(["h2", "http/1.1"])
    if own:
        context.load_cert_chain(*own)

    async def take(reader, writer):
        try:
            over = await asyncio.open_connection("127.0.0.1", int(server), ssl=context, server_hostname="localhost")
        except (OSError, ssl.SSLError):
            writer.close()
            return
        await asyncio.gather(carry(reader, over[1]), carry(over[0], writer))

    listener = await asyncio.start_server(take, "127.0.0.1", 0)
    print(listener.sockets[0].getsockname()[1], flush=True)
    await listener.serve_forever()


asyncio.run(main())
