// What stands above the lanes, the turns, and the keys.
const app = window.unirt;
const { data, make } = app;

document.title = `${data.name} - unirt`;
app.at("name").textContent = data.name;
app.at("origin").textContent = data.origin;
app.at("origin").classList.add(data.origin);

function card(value, unit, words) {
  const box = make("div", "card");
  const number = make("b", "", value);
  if (unit) number.append(make("small", "", unit));
  box.append(number, make("span", "", words));
  return box;
}

function middle(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

const cards = make("div", "cards");
cards.append(card((data.end / 1000).toFixed(2), "s", "long"));
cards.append(card(data.counts.sent, "", "frames sent"), card(data.counts.received, "", "frames received"));
cards.append(card(data.turns.length, "", data.turns.length === 1 ? "answer" : "answers"));
const latencies = data.turns.map((turn) => turn.latency).filter((ms) => ms !== null);
if (latencies.length) cards.append(card(Math.round(middle(latencies)), "ms", "to first audio (median)"));
if (data.tools.length) {
  const took = data.tools.filter((tool) => tool.to !== null).map((tool) => tool.to - tool.from);
  cards.append(card(took.length ? Math.round(took.reduce((a, b) => a + b)) : "none", took.length ? "ms" : "", `in ${data.tools.length} tool call${data.tools.length > 1 ? "s" : ""}`));
}
if (data.usage) cards.append(card(data.usage.in + data.usage.out, "", `tokens: ${data.usage.in} in, ${data.usage.out} out`));
const facts = make("dl", "facts");
for (const [name, words] of data.facts) {
  const fact = make("div");
  fact.append(make("dt", "", name), make("dd", "", words));
  facts.append(fact);
}
app.at("summary").append(cards, facts);
for (const warning of data.warnings) app.at("warnings").append(make("p", "warning", warning));

// Turns.

const SVG = "http://www.w3.org/2000/svg";
const BY = { voice: "after the voice ended", speech_stopped: "after speech was told to be over", command: "after it was asked for" };

function strip(turn) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 100 8");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  const from = turn.asked ?? turn.started;
  const first = turn.audio ?? turn.text ?? turn.started;
  const to = Math.max(turn.done ?? data.end, first + 1);
  const at = (ms) => ((ms - from) / (to - from)) * 100;
  const bars = [[0, at(first), app.colour("control"), 0.55], [at(first), 100, app.colour(turn.ending === "complete" ? "content" : "bad"), 0.9]];
  for (const [a, b, colour, opacity] of bars) {
    const bar = document.createElementNS(SVG, "rect");
    for (const [key, value] of Object.entries({ x: a, y: 0, width: Math.max(b - a - 0.5, 0), height: 8, rx: 1, fill: colour, opacity })) {
      bar.setAttribute(key, value);
    }
    svg.append(bar);
  }
  return svg;
}

function turnCard(turn, index) {
  const box = make("button", "turn");
  box.type = "button";
  const head = make("span", "top");
  head.append(make("b", "", `Answer ${index + 1}`), make("span", "", `at ${app.seconds(turn.started, 2)}${data.several ? `, connection ${turn.c}` : ""}`));
  const kind = turn.ending === "complete" ? "" : ["interrupted", "cancelled"].includes(turn.ending) ? "cut" : "bad";
  head.append(make("span", `ending ${kind}`, (turn.ending ?? "open") + (turn.reason ? `, ${turn.reason}` : "")));
  const says = make("span", "says");
  if (turn.user) says.append(make("i", "user", "user"), make("span", "", turn.user));
  says.append(make("i", "model", "model"), make("span", turn.model ? "" : "none", turn.model || "no words"));
  const foot = make("span", "foot");
  const fact = (value, words) => {
    const one = make("span");
    one.append(make("b", "", value), ` ${words}`);
    foot.append(one);
  };
  if (turn.latency !== null) fact(`${Math.round(turn.latency)} ms`, `to first audio, ${BY[turn.by]}`);
  if (turn.ms) fact(app.seconds(turn.ms, 2), "of sound");
  if (turn.heard !== null) fact(app.seconds(turn.heard, 2), "heard");
  if (turn.usage) fact(turn.usage.in + turn.usage.out, "tokens");
  box.append(head, says, strip(turn), foot);
  box.addEventListener("click", () => { app.seek(turn.asked ?? turn.started); app.nearestRow(); });
  return box;
}

function turns() {
  app.at("turns").replaceChildren(...data.turns.map(turnCard));
}
turns();
let dark = app.dark();
app.listeners.push(() => {
  if (dark === app.dark()) return;
  dark = app.dark();
  turns();
});

// Keys.

const help = app.at("help");
app.at("keys").addEventListener("click", () => help.showModal());
app.at("shut").addEventListener("click", () => help.close());

const KEYS = {
  j: () => app.step(1),
  k: () => app.step(-1),
  d: () => app.theme(!app.dark()),
  "/": () => app.at("search").focus(),
  "?": () => help.showModal(),
  "+": () => app.zoom(1.6),
  "=": () => app.zoom(1.6),
  "-": () => app.zoom(1 / 1.6),
  0: () => app.fit(),
  ArrowRight: (event) => app.seek(app.cursor + (event.shiftKey ? 1000 : 100)),
  ArrowLeft: (event) => app.seek(app.cursor - (event.shiftKey ? 1000 : 100)),
};

document.addEventListener("keydown", (event) => {
  if (help.open || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("input")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.key === " " && !event.target.closest("button")) {
    event.preventDefault();
    app.toggle();
    return;
  }
  const act = KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act(event);
});

document.documentElement.dataset.ready = "yes";
