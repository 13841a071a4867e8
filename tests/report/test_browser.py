import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path

import pytest
from made_tables import made_deltas, made_head, made_tables

from donorgrid.report import Failure, render_report

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here")

PROBE = """<script>addEventListener("load", () => {
  const seen = {};
  const label = () => document.activeElement.getAttribute("aria-label");
  const press = (key, ctrlKey) =>
    document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, ctrlKey, bubbles: true }));
  const rows = document.getElementById("body").children;
  rows[0].children[0].focus();
  seen.first = label();
  press("ArrowRight"); press("ArrowDown");
  seen.moved = label();
  seen.tip = document.getElementById("tip").innerText;
  press("End", true);
  seen.last = label();
  press("ArrowRight");
  seen.stays = label();
  seen.stops = document.querySelectorAll("#body [tabindex='0']").length;
  rows[1].children[0].dispatchEvent(new PointerEvent("pointerover", { bubbles: true }));
  seen.hover = document.getElementById("tip").innerText;
  const controls = document.getElementById("controls");
  controls.model.value = "two";
  controls.model.dispatchEvent(new Event("change", { bubbles: true }));
  seen.other = document.querySelector("#cells-table td").textContent;
  document.getElementById("theme").click();
  seen.theme = document.documentElement.dataset.theme;
  seen.wide = document.documentElement.scrollWidth - innerWidth;
  const told = document.createElement("pre");
  told.id = "seen";
  told.textContent = JSON.stringify(seen);
  document.body.append(told);
});</script></body>"""


def browse(page: Path, profile: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--enable-logging=stderr",
        f"--user-data-dir={profile}", "--virtual-time-budget=2000", *arguments, page.as_uri(),
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)


def test_the_page_works_in_a_browser(tmp_path: Path) -> None:
    deltas = made_deltas(models=("one", "two"))[1:]
    failures = (Failure(model="one", source="continent/de", reason="diverged"),)
    page = tmp_path / "report.html"
    html = render_report(made_tables(deltas), made_head(deltas, failures=failures, languages=("de", "en", "zh")))
    page.write_text(html.replace("</body>", PROBE), encoding="utf-8")
    shot = tmp_path / "shot.png"
    drawn = browse(page, tmp_path / "profile", "--window-size=1600,1200", f"--screenshot={shot}", "--dump-dom")
    assert "CONSOLE" not in drawn.stderr
    assert shot.read_bytes().startswith(b"\x89PNG")
    assert shot.stat().st_size > 30_000
    found = re.search(r'<pre id="seen">(.*?)</pre>', drawn.stdout, re.DOTALL)
    assert found
    seen = json.loads(unescape(found[1]))
    value = deltas.filter(model="two", source_name="continent/de", target_task="continent", target_language="de")
    assert seen["first"].startswith("continent / de → continent / de. ")
    assert seen["moved"].startswith("continent / en → continent / en. ")
    assert "mean of 2 models, from" in seen["tip"]
    assert "MT-ML: the trained cell itself" in seen["tip"]
    assert seen["last"] == seen["stays"]
    assert seen["last"].startswith("language / zh → language / zh")
    assert seen["stops"] == 1
    assert seen["hover"].startswith("continent / en → continent / de")
    assert seen["other"] == f"{value['delta_pp'][0]:+.2f}".replace("-", "−")
    assert seen["theme"] == "light"
    assert seen["wide"] <= 0
