"use strict";
(() => {
  const tip = document.getElementById("tip");
  const MINUS = "\u2212";

  const signedPp = (whole) => (whole > 0 ? "+" : whole < 0 ? MINUS : "") + (Math.abs(whole) / 100).toFixed(2);
  const withCommas = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, ",");

  // theme: system, light, dark
  const themes = ["system", "light", "dark"];
  const button = document.getElementById("theme");
  const remember = {
    read() { try { return localStorage.getItem("donorgrid-theme"); } catch (error) { return null; } },
    write(theme) { try { localStorage.setItem("donorgrid-theme", theme); } catch (error) { /* private mode */ } },
  };
  const setTheme = (theme) => {
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    button.firstElementChild.textContent = theme;
  };
  let theme = themes.includes(remember.read()) ? remember.read() : "system";
  setTheme(theme);
  button.hidden = false;
  button.addEventListener("click", () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    setTheme(theme);
    remember.write(theme);
  });

  // tooltip: lines of text next to a box on the screen
  const showTip = (box, lines) => {
    tip.replaceChildren(...lines.map(([tag, text]) => {
      const part = document.createElement(tag);
      part.textContent = text;
      return part;
    }));
    tip.hidden = false;
    const { width, height } = tip.getBoundingClientRect();
    const left = box.right + 12 + width < innerWidth ? box.right + 12 : box.left - 12 - width;
    const top = Math.min(box.top, innerHeight - height - 8);
    tip.style.left = Math.max(8, left) + "px";
    tip.style.top = Math.max(8, top) + "px";
  };
  const hideTip = () => { tip.hidden = true; };

  // figures: <title> texts become tooltips (without this script the browser shows them)
  for (const title of document.querySelectorAll("main svg title")) {
    const mark = title.parentElement;
    const text = title.textContent;
    title.remove();
    mark.addEventListener("pointerenter", () => showTip(mark.getBoundingClientRect(), [["span", text]]));
    mark.addEventListener("pointerleave", hideTip);
  }

  const holder = document.getElementById("data");
  if (!holder) return;
  const data = JSON.parse(holder.textContent);
  const svg = document.getElementById("cells");
  const body = document.getElementById("body");
  const rows = [...body.children];
  const cells = rows.flatMap((row) => [...row.children]);
  const width = data.targets.length;
  const cursor = document.getElementById("cursor");
  const rowLabels = document.querySelectorAll(".rows .labels text");
  const columnLabels = document.querySelectorAll(".cells .labels text");
  const controls = document.getElementById("controls");
  const regimeMeanings = {
    "MT-ML": "the trained cell itself, not transfer", "MT-CL": "same task, other language",
    "CT-ML": "other task, same language", "CT-CL": "other task, other language",
  };
  let view = data.views[0];
  let active = 0;

  // the value of a cell: an array has a value per cell, per target (if all sources agree), or one for all cells
  const value = (name, index) => {
    const values = view[name];
    if (!values) return null;
    return values[values.length === cells.length ? index : values.length === width ? index % width : 0];
  };

  // what the heat map's tooltip says of a cell
  const tooltipLines = (index) => {
    const source = data.sources[Math.floor(index / width)];
    const target = data.targets[index % width];
    const lines = [["span", source.title + " \u2192 " + target.title]];
    if (view.letters[index] === ".") {
      lines.push(["b", "missing"], ["i", view.reasons[view.missing[index]]]);
    } else {
      const se = value("se", index);
      lines.push(["b", signedPp(view.deltas[index]) + (se === null ? "" : " \u00b1 " + (se / 100).toFixed(2)) + " pp"]);
      lines.push(...tooltipCounts(index).map((text) => ["i", text]));
    }
    const regime = data.regimes[data.digits[index]];
    if (regime) lines.push(["i", regime + ": " + regimeMeanings[regime]]);
    return lines;
  };

  const tooltipCounts = (index) => {
    const lines = [];
    const models = value("models", index);
    if (models !== null) {
      lines.push("mean of " + models + (models === 1 ? " model" : " models, from " + signedPp(value("low", index)) + " to " + signedPp(value("high", index))));
    }
    const [items, right, base] = ["items", "right", "base"].map((name) => value(name, index));
    if (items !== null && right !== null && base !== null) {
      lines.push(withCommas(right) + " of " + withCommas(items) + " correct, base model " + withCommas(base));
    }
    const seeds = value("seeds", index);
    if (seeds !== null) lines.push(seeds + (seeds < data.seeds ? " of " + data.seeds : "") + (data.seeds === 1 ? " train seed" : " train seeds"));
    return lines;
  };

  const mark = (index) => {
    const cell = cells[index];
    const offset = rows[Math.floor(index / width)].transform.baseVal[0].matrix.f;
    cursor.setAttribute("x", cell.getAttribute("x") - 1);
    cursor.setAttribute("y", offset - 1);
    cursor.setAttribute("visibility", "visible");
    for (const label of document.querySelectorAll(".sheet .here")) label.classList.remove("here");
    rowLabels[Math.floor(index / width)].classList.add("here");
    columnLabels[index % width].classList.add("here");
    showTip(cell.getBoundingClientRect(), tooltipLines(index));
  };
  const unmark = () => {
    const focused = cells.indexOf(document.activeElement);
    if (focused >= 0) { mark(focused); return; }
    cursor.setAttribute("visibility", "hidden");
    for (const label of document.querySelectorAll(".sheet .here")) label.classList.remove("here");
    hideTip();
  };

  // the heat map has one tab stop; the arrow keys move it
  const focus = (index) => {
    cells[active].setAttribute("tabindex", "-1");
    active = index;
    cells[index].setAttribute("tabindex", "0");
    cells[index].setAttribute("aria-label", tooltipLines(index).map((line) => line[1]).join(". "));
    cells[index].focus({ preventScroll: true });
    cells[index].scrollIntoView({ block: "nearest", inline: "nearest" });
    mark(index);
  };
  const indexAfterKey = (key, whole) => {
    const row = Math.floor(active / width);
    const column = active % width;
    const to = {
      ArrowRight: [row, column + 1], ArrowLeft: [row, column - 1], ArrowDown: [row + 1, column], ArrowUp: [row - 1, column],
      Home: [whole ? 0 : row, 0], End: [whole ? rows.length - 1 : row, width - 1],
      PageDown: [row + 11, column], PageUp: [row - 11, column],
    }[key];
    if (!to) return null;
    const clamped = (position, size) => Math.max(0, Math.min(size - 1, position));
    return clamped(to[0], rows.length) * width + clamped(to[1], width);
  };

  svg.setAttribute("role", "grid");
  svg.setAttribute("aria-rowcount", rows.length);
  svg.setAttribute("aria-colcount", width);
  svg.setAttribute("aria-readonly", "true");
  rows.forEach((row, index) => {
    row.setAttribute("role", "row");
    row.setAttribute("aria-label", data.sources[index].title);
  });
  for (const cell of cells) { cell.setAttribute("role", "gridcell"); cell.setAttribute("tabindex", "-1"); }
  cells[0].setAttribute("tabindex", "0");

  const cellIndex = (event) => cells.indexOf(event.target);
  body.addEventListener("pointerover", (event) => { if (cellIndex(event) >= 0) mark(cellIndex(event)); });
  body.addEventListener("pointerleave", unmark);
  body.addEventListener("click", (event) => { if (cellIndex(event) >= 0) focus(cellIndex(event)); });
  body.addEventListener("focusin", (event) => { if (cellIndex(event) !== active) focus(cellIndex(event)); else focus(active); });
  body.addEventListener("focusout", () => requestAnimationFrame(unmark));
  body.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { hideTip(); return; }
    if (event.altKey || event.metaKey) return;
    const to = indexAfterKey(event.key, event.ctrlKey);
    if (to === null) return;
    event.preventDefault();
    focus(to);
  });
  addEventListener("scroll", unmark, { passive: true, capture: true });

  // choosing a model and a recipe
  const options = (name) => [...new Set(data.views.map((candidate) => candidate[name]))];
  const faint = (index) => {
    const se = value("se", index);
    return controls.faint.checked && se !== null && Math.abs(view.deltas[index]) < 2 * se;
  };
  const draw = () => {
    cells.forEach((cell, index) => {
      const letter = view.letters[index];
      cell.setAttribute("class", letter === "." ? "missing" : "k" + letter + (faint(index) ? " faint" : ""));
    });
    const named = view.model + ", " + view.variant;
    document.querySelector("#shown strong").textContent = view.model;
    document.querySelector("#shown").lastChild.textContent = ", " + view.variant;
    document.querySelector("#cells-table caption span").textContent = named;
    document.querySelectorAll("#cells-table td").forEach((cell, index) => {
      cell.textContent = view.letters[index] === "." ? "" : signedPp(view.deltas[index]);
    });
    document.getElementById("pick-faint").hidden = !view.se;
  };
  for (const name of ["model", "variant"]) {
    const choices = options(name);
    controls[name].append(...choices.map((choice) => new Option(choice, choice)));
    document.getElementById("pick-" + name).hidden = choices.length < 2;
  }
  controls.addEventListener("change", () => {
    view = data.views.find((candidate) => candidate.model === controls.model.value && candidate.variant === controls.variant.value) || view;
    draw();
  });
  controls.addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("pick-faint").hidden = !view.se;
  controls.hidden = !data.views.some((candidate) => candidate.se) && data.views.length < 2;
})();
