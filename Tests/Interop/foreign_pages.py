"""Has a real Chromium show pages of several origins, which ask a gateway for things.

    foreign_pages.py CHROMIUM PORT BARE

PORT is the gateway's on 127.0.0.1, BARE that of one which lists no hosts. Names that end in .example lead there too, and so does
"intranet", as with a search domain. Prints a JSON object for each thing asked: its
name, and what the page could see.
"""
import json
import sys

import empty_pages
from empty_pages import EVENTS, LOAD
from playwright.sync_api import sync_playwright

CHROMIUM, PORT, BARE = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
GATEWAY = f"http://127.0.0.1:{PORT}"
PAGES = empty_pages.serve()
FOREIGN = f"http://evil.example:{PAGES}"
NEIGHBOUR = f"http://127.0.0.1:{PAGES}"

# What scripts do. Each gives back what its page could see.
FETCH = """async ([url, options]) => {
    try { const r = await fetch(url, options); return r.type === "opaque" ? "opaque" : r.status + " " + await r.text() }
    catch (e) { return e.name }
}"""
SANDBOXED = """([url]) => new Promise(done => {
    const frame = document.createElement("iframe")
    frame.sandbox = "allow-scripts"
    frame.srcdoc = `<script>fetch("${url}", {method: "POST", mode: "no-cors"}).then(
        r => parent.postMessage(r.type, "*"), e => parent.postMessage(e.name, "*"))</script>`
    onmessage = e => done(e.data)
    document.body.append(frame)
})"""
FORM = """([url, type, name, value]) => {
    const form = document.createElement("form")
    Object.assign(form, {method: "POST", action: url, enctype: type})
    if (name) {
        const field = document.createElement("input")
        Object.assign(field, {name, value})
        form.append(field)
    }
    document.body.append(form)
    form.submit()
}"""
BEACON = "([url]) => navigator.sendBeacon(url)"

EMPTY = {"method": "POST", "mode": "no-cors"}
TEXT = {"method": "POST", "mode": "no-cors", "body": "[1]"}
JSON = {"method": "POST", "body": "[1]", "headers": {"Content-Type": "application/json"}}

with sync_playwright() as playwright:
    browser = playwright.chromium.launch(
        executable_path=CHROMIUM, args=["--no-sandbox", "--host-resolver-rules=MAP *.example 127.0.0.1, MAP intranet 127.0.0.1"])

    page = browser.new_page()

    def ask(name, origin, path, script, *arguments):
        """One thing that a page of the origin asks for; a star in the path stands for the thing's name."""
        page.goto(origin)
        url = (origin.removesuffix("/live") if origin.endswith("/live") else GATEWAY) + path.replace("*", name)
        seen = page.evaluate(script, [url, *arguments])
        if script is FORM:
            page.wait_for_url(url)
            seen = page.evaluate("document.body.innerText")
        print(json.dumps({"name": name, "seen": seen}), flush=True)

    # Of another site, and of the same site at another port.
    for name, origin in [("foreign", FOREIGN), ("neighbour", NEIGHBOUR)]:
        ask(f"{name}-empty", origin, "/rpc/s/*", FETCH, EMPTY)
        ask(f"{name}-text", origin, "/rpc/s/*", FETCH, TEXT)
        ask(f"{name}-push", origin, "/push/jobs/*", FETCH, EMPTY)
        ask(f"{name}-publication", origin, "/pub/news/t/*", FETCH, EMPTY)
        ask(f"{name}-preflight", origin, "/rpc/s/*", FETCH, JSON)
        ask(f"{name}-sandbox", origin, "/rpc/s/*", SANDBOXED)
        ask(f"{name}-beacon", origin, "/rpc/s/*", BEACON)
        ask(f"{name}-form", origin, "/rpc/s/*", FORM, "application/x-www-form-urlencoded", "", "")
        ask(f"{name}-text-form", origin, "/rpc/s/*", FORM, "text/plain", '["', '"]')
        ask(f"{name}-upload", origin, "/rpc/s/*", FORM, "multipart/form-data", "a", "1")
        ask(f"{name}-fetch", origin, "/rpc/s/safe-*", FETCH, {})
        ask(f"{name}-blind-fetch", origin, "/rpc/s/safe-*", FETCH, {"mode": "no-cors"})
        ask(f"{name}-script", origin, "/rpc/s/safe-*", LOAD, "script")
        ask(f"{name}-image", origin, "/rpc/s/safe-*", LOAD, "img")
        ask(f"{name}-events", origin, "/sub/news", EVENTS)

    # A page whose host's name was made to lead to the gateway: the browser takes both for one origin.
    for name, origin in [("rebound", f"http://rebound.example:{PORT}/live"), ("searched", f"http://intranet:{BARE}/live")]:
        ask(f"{name}-call", origin, "/rpc/s/*", FETCH, JSON)
        ask(f"{name}-fetch", origin, "/rpc/s/safe-*", FETCH, {})
        ask(f"{name}-script", origin, "/rpc/s/safe-*", LOAD, "script")
        ask(f"{name}-image", origin, "/rpc/s/safe-*", LOAD, "img")
        ask(f"{name}-events", origin, "/sub/news", EVENTS)

    for host in ["127.0.0.1", "localhost", "gateway.localhost", "listed.example"]:
        origin = f"http://{host}:{PORT}/live"
        ask(f"{host}-call", origin, "/rpc/s/*", FETCH, JSON)
        ask(f"{host}-empty", origin, "/rpc/s/*", FETCH, {"method": "POST"})
        ask(f"{host}-fetch", origin, "/rpc/s/safe-*", FETCH, {})
        ask(f"{host}-events", origin, "/sub/news", EVENTS)

    browser.close()
