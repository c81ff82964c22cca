"""Opens the page of docs/tutorial.md in two windows of a real Chromium, buys in one, and prints what both show as one line of JSON.

    tutorial.py CHROMIUM URL
"""
import json
import sys

from playwright.sync_api import sync_playwright

CHROMIUM, URL = sys.argv[1], sys.argv[2]
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    pages = [browser.new_page(), browser.new_page()]
    for page in pages:
        page.goto(URL)
        page.wait_for_function("document.querySelector('#left').textContent !== '?'")
    left = int(pages[0].inner_text("#left"))
    pages[0].get_by_role("button").click()
    for page in pages:
        page.wait_for_function("left => document.querySelector('#left').textContent === String(left)", arg=left - 1)
    for _ in range(left):
        pages[0].get_by_role("button").click()
    pages[0].wait_for_function("document.querySelector('#told').textContent !== ''")
    shown = {"left": pages[1].inner_text("#left"), "told": pages[0].inner_text("#told")}
    browser.close()
print(json.dumps(shown), flush=True)
