"""Has a real Chromium show Examples/browser/events.html, cuts its connection, and has the gateway start anew.

    browser_events.py CHROMIUM PORT ENDPOINT PAGE

Publishes numbers at ENDPOINT. The page is shown under the origin of a forwarder, which passes all else on to the gateway at PORT and
can cut connections. Prints `{"restart":true}` when it is time to start the gateway anew on the same port, and at the end what the page
has shown: `cut`, the lines up to some time after the connection was cut, and `restarted`, those after the restart.
"""
import asyncio
import contextlib
import json
import sys
import threading
import time

import msgpack
import zmq
from playwright.sync_api import sync_playwright

CHROMIUM, PORT, ENDPOINT, PAGE = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]


def publish():
    publisher = zmq.Context.instance().socket(zmq.PUB)
    publisher.bind(ENDPOINT)
    number = 0
    while True:
        publisher.send_multipart([b"clock", b"tick", msgpack.packb([number]), b"\x80"])
        number += 1
        time.sleep(0.02)


class Forwarder:
    """Passes bytes on, in both directions, until it is told to cut all connections."""

    def __init__(self):
        self.writers = set()
        self.accepted = 0
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        server = asyncio.run_coroutine_threadsafe(asyncio.start_server(self.accept, "127.0.0.1", 0), self.loop).result()
        self.port = server.sockets[0].getsockname()[1]

    async def accept(self, reader, writer):
        self.accepted += 1
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", PORT)
        except OSError:
            return writer.close()
        self.writers |= {writer, far_writer}
        await asyncio.gather(self.copy(reader, far_writer), self.copy(far_reader, writer))

    async def copy(self, reader, writer):
        with contextlib.suppress(ConnectionError):
            while piece := await reader.read(65536):
                writer.write(piece)
                await writer.drain()
        self.writers.discard(writer)
        writer.close()

    def cut(self):
        self.loop.call_soon_threadsafe(lambda: [writer.transport.abort() for writer in self.writers])


threading.Thread(target=publish, daemon=True).start()
forwarder = Forwarder()
with sync_playwright() as playwright, open(PAGE, encoding="utf-8") as page_file:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    page = browser.new_page()
    html = page_file.read()
    page.route("**/events.html*", lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto(f"http://127.0.0.1:{forwarder.port}/events.html?service=s&topic=clock")

    def lines():
        return page.eval_on_selector_all("li", "items => items.map(item => item.textContent)")

    def wait_for_more(count):
        wanted = len(lines()) + count
        page.wait_for_function(f"document.querySelectorAll('li').length >= {wanted}", timeout=20_000)

    wait_for_more(20)
    accepted = forwarder.accepted
    forwarder.cut()
    page.wait_for_function("document.querySelector('h1').textContent === 'connecting again'", timeout=20_000)
    page.wait_for_function("document.querySelector('h1').textContent === 'open'", timeout=20_000)
    wait_for_more(20)
    cut = lines()
    print(json.dumps({"restart": True}), flush=True)
    # The gateway is there again when this comes.
    sys.stdin.readline()
    page.wait_for_function(
        "[...document.querySelectorAll('li')].some(item => item.textContent.includes('restart'))", timeout=20_000)
    wait_for_more(20)
    print(json.dumps({"cut": cut, "restarted": lines()[len(cut):], "again": forwarder.accepted > accepted}), flush=True)
    browser.close()
