"""Has a real Chromium show pages of several origins, which use a gateway that lists some of them.

    cors_pages.py CHROMIUM

Prints `{"port": PORT}`: the pages are at that port, at whatever name that ends in .example. Reads the port of the gateway on 127.0.0.1,
and prints a JSON object for each thing asked: its name, and what the page could see.
"""
import json
import sys

import empty_pages
from empty_pages import EVENTS, LOAD
from playwright.sync_api import sync_playwright

PAGES = empty_pages.serve()
print(json.dumps({"port": PAGES}), flush=True)
GATEWAY = f"http://127.0.0.1:{int(sys.stdin.readline())}"

FETCH = """async ([url, options]) => {
    try { const r = await fetch(url, options); return r.status + " " + r.headers.get("Gateway-Error") + " " + await r.text() }
    catch (e) { return e.name }
}"""
JSON = {"method": "POST", "body": "[1]", "headers": {"Content-Type": "application/json", "Request-Timeout": "5"}}

with sync_playwright() as playwright:
    browser = playwright.chromium.launch(
        executable_path=sys.argv[1], args=["--no-sandbox", "--host-resolver-rules=MAP *.example 127.0.0.1"])
    page = browser.new_page()
    for name in ["listed", "a.below", "below", "evil"]:
        for what, path, script, *arguments in [
            ("call", "/rpc/s/call", FETCH, JSON),
            ("empty", "/rpc/s/empty", FETCH, {"method": "POST", "mode": "cors"}),
            ("fetch", "/rpc/s/safe", FETCH, {}),
            ("problem", "/nowhere", FETCH, JSON),
            ("script", "/rpc/s/safe", LOAD, "script"),
            ("events", "/sub/news", EVENTS),
        ]:
            page.goto(f"http://{name}.example:{PAGES}/")
            seen = page.evaluate(script, [GATEWAY + path, *arguments])
            print(json.dumps({"name": f"{name} {what}", "seen": seen}), flush=True)
    browser.close()
