"""Draws the pictures of docs/tui.md out of a run: `python -m benchmarks.tui_images RUN`."""

from __future__ import annotations

import argparse
import asyncio
import re
from pathlib import Path

from agent.tui.app import LogApp
from benchmarks import setting

IMAGES = setting.ROOT / "docs" / "images"
SIZE = (100, 30)
# Keys from the run screen on, and the name of the picture of where they lead.
STORY = (
    ([], "tui-run"),
    (["2", "end", "up", "up"], "tui-episodes"),
    (["enter", "right", "right", "right", "right", "right"], "tui-episode"),
    (["3", "c"], "tui-adapters"),
)


def main() -> None:
    """Write one SVG a screen; no font is fetched by whoever looks at it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    asyncio.run(_draw(parser.parse_args().run))


async def _draw(run: Path) -> None:
    IMAGES.mkdir(exist_ok=True)
    app = LogApp(run)
    async with app.run_test(size=SIZE) as pilot:
        for keys, name in STORY:
            await pilot.press(*keys)
            await pilot.pause()
            while any(worker.is_running for worker in app.workers):
                await app.workers.wait_for_complete()
                await pilot.pause()
            drawn = app.export_screenshot(title="vlarl-agent tui", simplify=True)
            drawn = re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.S)
            drawn = drawn.replace("Fira Code", "DejaVu Sans Mono")
            lines = (line.rstrip() for line in drawn.splitlines())
            (IMAGES / f"{name}.svg").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
