"""Opens pages of a gateway in a real Chromium as a telephone does, light and dark, and prints of each what it looks like, a line of JSON each.

    narrow_pages.py CHROMIUM URL PATH...
"""
import json
import sys
import time

from playwright.sync_api import sync_playwright

CHROMIUM, URL, PATHS = sys.argv[1], sys.argv[2], sys.argv[3:]
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    for path in PATHS:
        page = browser.new_page(viewport={"width": 390, "height": 844}, color_scheme="light")
        complaints = []
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(URL + path)
        if path == "/docs":
            page.wait_for_selector(".opblock")
        elif path == "/status":
            page.wait_for_selector("tbody td")
        shown = {"path": path, "width": page.evaluate("document.documentElement.scrollWidth"), "complaints": complaints}
        ink = "getComputedStyle(document.querySelector('h1, h2')).color"
        shown["light"] = shown["dark"] = page.evaluate(ink)
        page.emulate_media(color_scheme="dark")
        # A page that has a script do it hears of it later. Its policy lets nothing wait for that within the page.
        deadline = time.monotonic() + 20
        while shown["dark"] == shown["light"] and time.monotonic() < deadline:
            page.wait_for_timeout(50)
            shown["dark"] = page.evaluate(ink)
        page.close()
        print(json.dumps(shown), flush=True)
    browser.close()
