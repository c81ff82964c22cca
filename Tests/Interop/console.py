"""Uses the console of a gateway in a real Chromium, and prints what it shows as one line of JSON.

    console.py CHROMIUM URL

The gateway's services are those of the demonstration: calc, jobs and news.
"""
import json
import sys

from playwright.sync_api import sync_playwright

CHROMIUM, URL = sys.argv[1], sys.argv[2]
shown = {}
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    page = browser.new_page(color_scheme="dark")
    complaints = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(URL)
    page.wait_for_selector("section[aria-label=news]")
    shown["state"] = page.inner_text("#state")
    shown["services"] = page.eval_on_selector_all("main > section", "all => all.map(one => one.getAttribute('aria-label'))")
    shown["background"] = page.evaluate("getComputedStyle(document.body).backgroundColor")

    def ask(service, form, method, arguments):
        area = page.locator(f"section[aria-label={service}] form[aria-label={form}]")
        area.get_by_label("Method").fill(method)
        if area.get_by_label("As JSON").is_visible():
            area.get_by_label("As JSON").check()
        area.get_by_label("Arguments").fill(arguments)
        curl = area.locator("code").inner_text()
        # By the keyboard alone.
        area.get_by_label("Method").press("Enter")
        answer = area.get_by_label("Answer")
        page.wait_for_function("pre => /^\\d{3} /.test(pre.textContent)", arg=answer.element_handle())
        area.get_by_text("Frames of the call").click()
        frames = area.get_by_label("Frames").inner_text()
        area.get_by_text("Frames of the call").click()
        return {"curl": curl, "answer": answer.inner_text(), "frames": frames}

    def fill_in(service, method, values, *, key):
        """Calls by the form of a method's parameters, by the keyboard alone."""
        area = page.locator(f"section[aria-label={service}] form[aria-label=Call]")
        area.get_by_label("Method").fill(method)
        if area.get_by_label("As JSON").is_checked():
            area.get_by_label("As JSON").uncheck()
        group = area.get_by_role("group", name=f"Parameters of {method}")
        for label, value in values.items():
            group.get_by_label(label).fill(value)
        page.evaluate("pre => { pre.textContent = '' }", area.get_by_label("Answer").element_handle())
        group.get_by_label(key).press("Enter")
        return area, group

    shown["call"] = ask("calc", "Call", "add", "[2, 3]")
    shown["exact"] = ask("calc", "Call", "echo", "[12345678901234567890]")
    shown["problem"] = ask("calc", "Call", "fail", '["it\'s <b>bold</b>"]')

    area, group = fill_in("calc", "add", {"a (": "2", "b (": "40"}, key="b (")
    page.wait_for_function("pre => /^\\d{3} /.test(pre.textContent)", arg=area.get_by_label("Answer").element_handle())
    shown["form"] = {"answer": area.get_by_label("Answer").inner_text(), "curl": area.locator("code").inner_text()}
    area, group = fill_in("calc", "add", {"a (": "", "b (": "40"}, key="b (")
    shown["missing"] = {"message": group.get_by_label("a (").evaluate("input => input.validationMessage"),
                        "focus": group.get_by_label("a (").evaluate("input => input === document.activeElement"),
                        "answer": area.get_by_label("Answer").inner_text()}

    # What is shown of one method goes when another is chosen, and nothing is sent without one.
    page.wait_for_function("pre => pre.hidden", arg=area.get_by_label("Answer").element_handle())
    shown["answered"] = ask("calc", "Call", "echo", "[1]")["answer"].startswith("200 ")
    area.get_by_role("button", name="div", exact=True).click()
    shown["chosen"] = [area.get_by_label("Method").input_value(), area.get_by_label("Answer").is_visible(),
                       area.get_by_text("Frames of the call").is_visible()]
    sent = len(requests)
    area.get_by_label("Method").fill("")
    area.get_by_role("button", name="Call", exact=True).click()
    shown["unnamed"] = [area.get_by_label("Method").evaluate("input => input.validationMessage"), len(requests) - sent,
                        area.locator("code").inner_text().endswith("/rpc/calc/{method}'")]

    news = page.locator("section[aria-label=news]")
    news.get_by_role("button", name="Open stream").click()
    news.get_by_text("open", exact=True).wait_for()
    shown["push"] = ask("jobs", "Push", "resize", '["a.png"]')
    event = news.locator("tr", has_text="a.png").first
    event.wait_for()
    shown["event"] = event.locator("td").nth(2).inner_text()
    news.get_by_role("button", name="Close stream").click()
    page.get_by_role("button", name="Refresh").click()
    # What was answered and received is still there.
    shown["kept"] = "a.png" in news.inner_text()
    shown["labels"] = page.evaluate("[...document.querySelectorAll('input, textarea, select')].every(one => one.labels.length === 1)")
    shown["complaints"] = complaints
    shown["foreign"] = [url for url in requests if not url.startswith(URL.rstrip("/")) and not url.startswith("data:")]
    if len(sys.argv) > 3:
        page.screenshot(path=sys.argv[3], full_page=True)
    browser.close()
print(json.dumps(shown), flush=True)
