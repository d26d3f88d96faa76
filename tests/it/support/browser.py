"""Opens pages from disk in headless Chromium with the network cut off, in light and dark, narrow and wide.

Arguments: folder of the pages, folder for pictures or "-", then the pages. Prints what is wrong, a line each; nothing if
all is well.
"""
import pathlib
import sys

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

folder, pictures, pages = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND"]
with sync_playwright() as play:
    browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
    for scheme in ("light", "dark"):
        for width in (360, 600, 1200):
            context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
            context.route(lambda url: not url.startswith(("file:", "data:")), lambda route: route.abort())
            page = context.new_page()
            wrong = []
            page.on("requestfailed", lambda r: wrong.append(f"failed request {r.url}: {r.failure}"))
            page.on("request", lambda r: wrong.append(f"request {r.url}") if not r.url.startswith(("file:", "data:")) else None)
            page.on("pageerror", lambda e: wrong.append(f"error {e}"))
            for name in pages:
                page.goto((folder / name).resolve().as_uri())
                page.wait_for_load_state("load")
                over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                if over > 0:
                    wrong.append(f"wider than the screen by {over} pixels")
                if (width, scheme) in ((360, "light"), (360, "dark"), (1200, "light")):
                    found = Axe().run(page, options={"preload": False, "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]})
                    for violation in found.response["violations"]:
                        node = violation["nodes"][0]["html"][:160]
                        wrong.append(f"{violation['id']}: {violation['help']}: {node}")
                if width == 1200 and scheme == "light" and page.locator("th button").count():
                    head = page.locator("th button").first
                    head.click()
                    cell = head.locator("xpath=..")
                    if cell.get_attribute("aria-sort") != "ascending":
                        wrong.append("a head that was clicked does not sort")
                if pictures != "-":
                    stem = pathlib.Path(name).stem
                    page.screenshot(path=f"{pictures}/{stem}-{width}-{scheme}.png")
                for text in wrong:
                    print(f"{name} at {width} {scheme}: {text}")
                wrong.clear()
            context.close()
    browser.close()
