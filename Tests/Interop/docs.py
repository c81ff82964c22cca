"""Uses the page /docs of a gateway in a real Chromium, and prints what it shows as one line of JSON.

    docs.py CHROMIUM URL [SCREENSHOT]

The gateway's services are those of the demonstration: calc, jobs and news.
"""
import json
import sys
import urllib.parse

from playwright.sync_api import sync_playwright

CHROMIUM, URL = sys.argv[1], sys.argv[2]
shown = {}
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    page = browser.new_page()
    complaints, requests = [], []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(URL)
    page.wait_for_selector(".opblock")
    shown["title"] = page.inner_text(".info .title")
    shown["tags"] = page.eval_on_selector_all(".opblock-tag", "all => all.map(one => one.dataset.tag)")
    shown["verbs"] = page.eval_on_selector_all(
        ".opblock", "all => [...new Set(all.filter(one => one.offsetParent).map(one => one.className.match(/opblock-(\\w+)/)[1]))].sort()")
    block = page.locator(".opblock-post", has=page.locator("[data-path='/rpc/calc/add']")).first
    block.locator(".opblock-summary-control").click()
    block.get_by_role("button", name="Try it out").click()
    block.locator("textarea.body-param__text").fill('{"a": 2, "b": 3}')
    with page.expect_response(lambda response: response.request.method == "POST") as waited:
        block.get_by_role("button", name="Execute").click()
    response = waited.value
    shown["request"], shown["status"] = response.url, str(response.status)
    block.locator(".live-responses-table .microlight").first.wait_for()
    shown["answer"] = response.text()
    shown["complaints"] = complaints
    origin = urllib.parse.urlsplit(URL).netloc
    shown["foreign"] = [url for url in requests if urllib.parse.urlsplit(url).netloc not in (origin, "")]
    if len(sys.argv) > 3:
        page.screenshot(path=sys.argv[3])
    browser.close()
print(json.dumps(shown), flush=True)
