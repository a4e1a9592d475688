"""Draw ``book/_static/social_card.png``, which a shared link shows, from the SVG beside it."""

from __future__ import annotations

import argparse
import hashlib
import io
import sys

from PIL import Image, PngImagePlugin
from playwright.sync_api import sync_playwright

from tools.browser import ARGUMENTS, MISSING, find_browser
from tools.paths import ROOT

DRAWING = ROOT / "book" / "_static" / "social_card.svg"
SIZE = (1200, 630)
COLOURS = 64  # a flat drawing needs no more, and the file stays small


def digest() -> str:
    """Return the drawing's digest, the same on every platform."""
    text = DRAWING.read_text(encoding="utf-8")
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def photograph(program: str) -> bytes:
    """Return the drawing as the browser shows it, as PNG."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]})
        page.set_content(f"<style>body {{ margin: 0 }}</style>{DRAWING.read_text(encoding='utf-8')}")
        picture = page.screenshot()
        browser.close()
    return picture


def main() -> int:
    """Write the picture; its ``source`` text is the drawing's digest, by which a test knows that it is not stale."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    program = find_browser()
    if program is None:
        print(MISSING)
        return 1
    picture = Image.open(io.BytesIO(photograph(program))).convert("RGB").quantize(COLOURS)
    note = PngImagePlugin.PngInfo()
    note.add_text("source", digest())
    picture.save(DRAWING.with_suffix(".png"), optimize=True, pnginfo=note)
    return 0


if __name__ == "__main__":
    sys.exit(main())
