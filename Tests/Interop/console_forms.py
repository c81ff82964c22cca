"""Fills in the forms of the console of a gateway in a real Chromium, and prints what it shows as one line of JSON.

    console_forms.py CHROMIUM URL

The gateway has one service, shop, with the methods order(item: str, count: int = 3, gift: bool | None = None, note: str | None = None,
wrap: bytes = b"") and stock(item: str). What the console asks the gateway for first gets no answer.
"""
import json
import sys

from playwright.sync_api import sync_playwright

CHROMIUM, URL = sys.argv[1], sys.argv[2]
shown = {}
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    page = browser.new_page()
    lost = []

    def lose_the_first(route):
        if route.request.headers.get("accept") == "application/json" and not lost:
            lost.append(route.request.url)
            route.abort()
        else:
            route.continue_()

    page.route(URL, lose_the_first)
    page.goto(URL)
    page.get_by_text("the gateway does not answer").wait_for()
    # It asks again by itself.
    page.wait_for_selector("section[aria-label=shop]")
    shown["state"] = page.inner_text("#state")

    area = page.locator("section[aria-label=shop] form[aria-label=Call]")
    names = area.get_by_role("group", name="Known by name")
    pressed = lambda: names.get_by_role("button").evaluate_all(
        "all => all.filter(one => one.getAttribute('aria-pressed') === 'true').map(one => one.textContent)")
    names.get_by_role("button", name="order", exact=True).click()
    shown["pressed"] = [pressed()]
    group = area.get_by_role("group", name="Parameters of order")
    shown["labels"] = group.locator("label").evaluate_all("all => all.map(one => one.firstChild.textContent)")
    shown["gifts"] = group.get_by_label("gift (").locator("option").evaluate_all("all => all.map(one => one.value)")

    curl = lambda: area.locator("code").inner_text()
    group.get_by_label("item (").fill("null")
    shown["text"] = curl()
    group.get_by_label("note (").fill("null")
    group.get_by_label("gift (").select_option("null")
    shown["nothing"] = curl()
    group.get_by_label("wrap (").fill("AAEC")
    area.get_by_role("button", name="Call", exact=True).click()
    shown["bytes"] = group.get_by_label("wrap (").evaluate("input => input.validationMessage")

    names.get_by_role("button", name="stock", exact=True).click()
    shown["pressed"].append(pressed())
    browser.close()
shown["lost"] = len(lost)
print(json.dumps(shown), flush=True)
