import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path

import pytest
from example_tables import example_deltas, example_head, example_tables

from donorgrid.report import Failure, render_report

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here")

PROBE = """<script>addEventListener("load", () => {
  const observed = {};
  const label = () => document.activeElement.getAttribute("aria-label");
  const press = (key, ctrlKey) =>
    document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, ctrlKey, bubbles: true }));
  const rows = document.getElementById("body").children;
  rows[0].children[0].focus();
  observed.first = label();
  press("ArrowRight"); press("ArrowDown");
  observed.moved = label();
  observed.tip = document.getElementById("tip").innerText;
  press("End", true);
  observed.last = label();
  press("ArrowRight");
  observed.afterEnd = label();
  observed.stops = document.querySelectorAll("#body [tabindex='0']").length;
  rows[1].children[0].dispatchEvent(new PointerEvent("pointerover", { bubbles: true }));
  observed.hover = document.getElementById("tip").innerText;
  const controls = document.getElementById("controls");
  controls.model.value = "two";
  controls.model.dispatchEvent(new Event("change", { bubbles: true }));
  observed.other = document.querySelector("#cells-table td").textContent;
  document.getElementById("theme").click();
  observed.theme = document.documentElement.dataset.theme;
  observed.wide = document.documentElement.scrollWidth - innerWidth;
  const report = document.createElement("pre");
  report.id = "observed";
  report.textContent = JSON.stringify(observed);
  document.body.append(report);
});</script></body>"""


def browse(page: Path, profile: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--enable-logging=stderr",
        f"--user-data-dir={profile}", "--virtual-time-budget=2000", *arguments, page.as_uri(),
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)


def test_the_page_works_in_a_browser(tmp_path: Path) -> None:
    deltas = example_deltas(models=("one", "two"))[1:]
    failures = (Failure(model="one", source="continent/de", reason="diverged"),)
    page = tmp_path / "report.html"
    html = render_report(example_tables(deltas), example_head(deltas, failures=failures, languages=("de", "en", "zh")))
    page.write_text(html.replace("</body>", PROBE), encoding="utf-8")
    shot = tmp_path / "shot.png"
    drawn = browse(page, tmp_path / "profile", "--window-size=1600,1200", f"--screenshot={shot}", "--dump-dom")
    assert "CONSOLE" not in drawn.stderr
    assert shot.read_bytes().startswith(b"\x89PNG")
    assert shot.stat().st_size > 30_000
    match = re.search(r'<pre id="observed">(.*?)</pre>', drawn.stdout, re.DOTALL)
    assert match
    observed = json.loads(unescape(match[1]))
    value = deltas.filter(model="two", source_name="continent/de", target_task="continent", target_language="de")
    assert observed["first"].startswith("continent / de → continent / de. ")
    assert observed["moved"].startswith("continent / en → continent / en. ")
    assert "mean of 2 models, from" in observed["tip"]
    assert "MT-ML: the trained cell itself" in observed["tip"]
    assert observed["last"] == observed["afterEnd"]
    assert observed["last"].startswith("language / zh → language / zh")
    assert observed["stops"] == 1
    assert observed["hover"].startswith("continent / en → continent / de")
    assert observed["other"] == f"{value['delta_pp'][0]:+.2f}".replace("-", "−")
    assert observed["theme"] == "light"
    assert observed["wide"] <= 0
