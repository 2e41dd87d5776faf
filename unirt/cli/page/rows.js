// The timeline: one row a frame, or a run of frames that say the same thing piece by piece.
const app = window.unirt;
const { data, make } = app;
const list = app.at("rows");
const ARROWS = { sent: "→", received: "←" };
const shown = { wire: true, control: true, content: true, command: true };
const elements = [];
let here = -1;

function size(bytes) {
  return bytes < 1000 ? `${bytes} B` : `${(bytes / 1000).toFixed(bytes < 100000 ? 1 : 0)} kB`;
}

function build(row, index) {
  const frame = row.kind === "sent" || row.kind === "received";
  const element = make("div", `row ${frame ? row.kind : "other"}`);
  const button = make("button");
  button.type = "button";
  button.setAttribute("aria-expanded", "false");
  const lines = row.line === null ? "" : row.many > 1 ? `${row.line}-${row.last}` : row.line;
  button.append(make("span", "num", lines), make("span", "num t", (row.t / 1000).toFixed(3)), wire(row, frame), spine(row), means(row));
  button.addEventListener("click", () => { select(index, false); open(index); });
  button.addEventListener("focus", () => select(index, false));
  element.append(button);
  row.words = [row.name, row.data ?? "", ...row.means.flatMap((m) => [m.name, m.words])].join("\n").toLowerCase();
  return element;
}

function wire(row, frame) {
  const cell = make("span", "wire");
  cell.append(make("span", "dir", ARROWS[row.kind] ?? "·"));
  if (data.several) cell.append(make("small", "", `#${row.c}`));
  cell.append(make("code", "", frame ? row.name : `${row.kind}: ${row.name}`));
  if (row.many > 1) cell.append(make("small", "", `in ${row.many} frames`));
  if (row.ms) cell.append(make("small", "", `${Math.round(row.ms)} ms`));
  if (frame) cell.append(make("small", "", size(row.size)));
  if (row.note) cell.append(make("small", "note", row.note));
  return cell;
}

function spine(row) {
  const bad = row.means.some((m) => app.bad.includes(m.name));
  const planes = new Set(row.means.map((m) => m.plane));
  const plane = bad ? "bad" : ["content", "command", "control"].find((p) => planes.has(p)) ?? "";
  return make("span", `spine ${plane}`);
}

function means(row) {
  const cell = make("span", "means");
  for (const one of row.means) {
    const mean = make("span", `mean ${one.plane}${app.bad.includes(one.name) ? " bad" : ""}`);
    const name = make("b", "", one.name);
    if (one.concluded) {
      const star = make("em", "", " *");
      star.title = "concluded, not said by the provider";
      name.append(star);
    }
    mean.append(name, make("span", "", one.words));
    cell.append(mean);
  }
  return cell;
}

function more(row) {
  const element = make("div", "more");
  const left = make("div");
  if (row.data !== null) {
    left.append(make("h3", "", row.many > 1 ? `the first of ${row.many} frames` : "what the line holds"), make("pre", "", row.data));
  }
  const right = make("div");
  for (const one of row.means) {
    if (one.more && one.more !== "{}") right.append(make("h3", "", one.name), make("pre", "", one.more));
  }
  element.append(left, right);
  return element;
}

function open(index, wanted) {
  const element = elements[index];
  const button = element.firstChild;
  const is = button.getAttribute("aria-expanded") === "true";
  if (wanted === is) return;
  button.setAttribute("aria-expanded", String(!is));
  if (is) element.lastChild.remove();
  else element.append(more(data.rows[index]));
}

function select(index, focus = true) {
  if (here >= 0) elements[here].classList.remove("here");
  here = index;
  const element = elements[index];
  element.classList.add("here");
  if (focus) {
    element.firstChild.focus({ preventScroll: true });
    element.scrollIntoView({ block: "nearest" });
  }
  if (!app.isPlaying()) app.moveTo(data.rows[index].t);
}

app.goTo = (index) => { if (!elements[index].hidden) select(index); };
app.nearestRow = () => {
  let best = -1;
  data.rows.forEach((row, index) => {
    if (!elements[index].hidden && row.t <= app.cursor + 0.001) best = index;
  });
  if (best < 0) return;
  if (here >= 0) elements[here].classList.remove("here");
  here = best;
  elements[best].classList.add("here");
};
app.step = (by) => {
  let index = here + by;
  while (index >= 0 && index < elements.length && elements[index].hidden) index += by;
  if (index >= 0 && index < elements.length) select(index);
};

function filter() {
  const words = app.at("search").value.trim().toLowerCase();
  let count = 0;
  data.rows.forEach((row, index) => {
    const planes = row.means.map((m) => m.plane);
    const wanted = planes.length === 0 ? shown.wire : planes.some((p) => shown[p]);
    const visible = wanted && (!words || row.words.includes(words));
    elements[index].hidden = !visible;
    elements[index].querySelector(".wire").classList.toggle("off", !shown.wire);
    elements[index].querySelectorAll(".mean").forEach((mean, n) => { mean.hidden = !shown[planes[n]]; });
    if (visible) count++;
  });
  app.at("count").textContent = count === data.rows.length ? `${count} rows` : `${count} of ${data.rows.length} rows`;
  app.at("none").hidden = count > 0;
}

for (const plane of Object.keys(shown)) {
  const chip = make("button", `plane-${plane}`, plane === "wire" ? "wire only" : plane);
  chip.type = "button";
  chip.setAttribute("aria-pressed", "true");
  chip.addEventListener("click", () => {
    shown[plane] = !shown[plane];
    chip.setAttribute("aria-pressed", String(shown[plane]));
    filter();
  });
  app.at("planes").append(chip);
}

data.rows.forEach((row, index) => { elements.push(build(row, index)); });
list.append(...elements);
app.at("search").addEventListener("input", filter);
let all = false;
app.at("expand").addEventListener("click", () => {
  all = !all;
  elements.forEach((element, index) => { if (!element.hidden) open(index, all); });
  app.at("expand").textContent = all ? "Close all" : "Open all";
});
filter();
