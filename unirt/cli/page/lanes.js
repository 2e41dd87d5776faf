// The lanes: time from left to right, and beneath each other the user, the model, the answers, the
// tools, and what happened.
const app = window.unirt;
const { data } = app;
const canvas = app.at("lanes");
const tip = app.at("tip");
const LEFT = 74;
const RULER = 24;
const LANE = 68;
const BARS = 22;
const MARKS = 24;

const tracks = [];
let top = RULER;
for (const lane of data.lanes) {
  lane.loud = app.bytes(lane.peaks);
  lane.ghost = app.bytes(lane.unheard);
  tracks.push({ kind: "lane", lane, top, height: LANE });
  top += LANE + 4;
}
const longest = Math.max(data.end, 1);
const rows = [
  ["answers", data.turns.length, BARS],
  ["tools", data.tools.length, BARS],
  ["events", data.marks.length, MARKS],
];
for (const [kind, any, height] of rows) {
  if (!any) continue;
  tracks.push({ kind, top, height });
  top += height + 4;
}
const HEIGHT = top + 2;
let view = { from: 0, to: longest };
let spots = []; // what can be pointed at: { x, y, w, h, words, row }

const width = () => canvas.clientWidth;
const xOf = (ms) => LEFT + ((ms - view.from) / (view.to - view.from)) * (width() - LEFT - 8);
const msOf = (x) => view.from + ((x - LEFT) / (width() - LEFT - 8)) * (view.to - view.from);

function draw() {
  if (!data.lanes.length && !data.turns.length) return;
  const scale = window.devicePixelRatio || 1;
  canvas.style.height = `${HEIGHT}px`;
  canvas.width = Math.round(width() * scale);
  canvas.height = Math.round(HEIGHT * scale);
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  const look = Object.fromEntries(
    ["sheet", "faint", "line", "ink", "soft", "dim", "user", "model", "control", "content", "bad", "focus"]
      .map((name) => [name, app.colour(name)]));
  pen.clearRect(0, 0, width(), HEIGHT);
  spots = [];
  ruler(pen, look);
  for (const track of tracks) {
    pen.fillStyle = look.faint;
    round(pen, LEFT, track.top, width() - LEFT - 8, track.height, 6);
    label(pen, look, track);
    pen.save();
    pen.beginPath();
    pen.rect(LEFT - 1, 0, width() - LEFT + 1, HEIGHT);
    pen.clip();
    ({ lane: wave, answers, tools, events })[track.kind](pen, look, track);
    pen.restore();
  }
  cursor(pen, look);
}

function round(pen, x, y, w, h, r) {
  pen.beginPath();
  pen.roundRect(x, y, Math.max(w, 0), h, Math.min(r, Math.max(w, 0) / 2, h / 2));
  pen.fill();
}

function label(pen, look, track) {
  const role = track.kind === "lane" ? track.lane.role : null;
  const words = role === null ? track.kind : role === "user" ? "user" : "model";
  pen.textBaseline = "middle";
  pen.textAlign = "right";
  pen.font = `600 12px ${app.colour("sans")}`;
  pen.fillStyle = role === null ? look.dim : role === "user" ? look.user : look.model;
  const which = data.several && role !== null ? ` ${track.lane.c}` : "";
  pen.fillText(words + which, LEFT - 10, track.top + track.height / 2);
}

function ruler(pen, look) {
  const span = view.to - view.from;
  const step = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 30000, 60000, 300000]
    .find((ms) => (ms / span) * (width() - LEFT) >= 64) ?? 600000;
  pen.font = `11px ${app.colour("mono")}`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  for (let ms = Math.ceil(view.from / step) * step; ms <= view.to; ms += step) {
    const x = Math.round(xOf(ms)) + 0.5;
    pen.strokeStyle = look.line;
    pen.beginPath();
    pen.moveTo(x, RULER - 6);
    pen.lineTo(x, HEIGHT);
    pen.stroke();
    pen.fillStyle = look.dim;
    if (x > LEFT + 10 && x < width() - 24) pen.fillText(`${+(ms / 1000).toFixed(3)} s`, x, 9);
    else if (ms === 0) pen.fillText("0", x + 4, 9);
  }
}

function wave(pen, look, { lane, top, height }) {
  const colour = lane.role === "user" ? look.user : look.model;
  const middle = top + height / 2;
  for (const [from, to, heard] of lane.spans) {
    const [a, b, c] = [xOf(from), xOf(to), xOf(heard)];
    pen.globalAlpha = 0.13;
    pen.fillStyle = colour;
    round(pen, a, top + 3, Math.max(c - a, 1), height - 6, 5);
    pen.globalAlpha = 1;
    if (heard < to - 1) {
      hatch(pen, look, c, top + 3, b - c, height - 6);
      spot(c, top, b - c, height, `${app.seconds(to - heard, 2)} that was never heard`);
    }
    const what = lane.role === "user" ? "the user's microphone" : "the model speaks";
    spot(a, top, c - a, height, `${what}, ${app.seconds(heard - from, 2)}${lane.audible ? "" : "\nthe sound was not kept"}`);
  }
  if (!lane.audible) return;
  const each = longest / lane.loud.length;
  const right = width() - 8;
  pen.fillStyle = colour;
  for (let x = LEFT; x < right; x++) {
    const first = Math.max(0, Math.floor(msOf(x) / each));
    const last = Math.min(lane.loud.length - 1, Math.floor(msOf(x + 1) / each));
    const ms = msOf(x);
    const heard = lane.spans.some(([from, , until]) => ms >= from && ms <= until);
    if (!heard && !lane.spans.some(([, to, until]) => ms > until && ms <= to)) continue;
    const sound = heard ? lane.loud : lane.ghost;
    let most = 0;
    for (let i = first; i <= last; i++) if (sound[i] > most) most = sound[i];
    if (!most && !heard) continue;
    const size = Math.max(1, (most / 255) * (height - 14));
    pen.globalAlpha = heard ? (most > 8 ? 0.95 : 0.35) : 0.25;
    pen.fillRect(x, middle - size / 2, 1, size);
  }
  pen.globalAlpha = 1;
}

function hatch(pen, look, x, y, w, h) {
  pen.save();
  pen.beginPath();
  pen.rect(x, y, w, h);
  pen.clip();
  pen.strokeStyle = look.dim;
  pen.globalAlpha = 0.5;
  for (let i = x - h; i < x + w; i += 7) {
    pen.beginPath();
    pen.moveTo(i, y + h);
    pen.lineTo(i + h, y);
    pen.stroke();
  }
  pen.restore();
}

function answers(pen, look, { top, height }) {
  data.turns.forEach((turn, index) => {
    const done = turn.done ?? longest;
    const first = turn.audio ?? turn.text ?? turn.started;
    if (turn.asked !== null) {
      pen.fillStyle = look.control;
      pen.globalAlpha = 0.55;
      round(pen, xOf(turn.asked), top + 8, xOf(first) - xOf(turn.asked), height - 16, 3);
      pen.globalAlpha = 1;
      spot(xOf(turn.asked), top, xOf(first) - xOf(turn.asked), height,
        `waiting for answer ${index + 1}: ${Math.round(first - turn.asked)} ms`);
    }
    pen.fillStyle = turn.ending === "complete" ? look.content : look.bad;
    round(pen, xOf(first), top + 5, Math.max(xOf(done) - xOf(first), 3), height - 10, 4);
    spot(xOf(first), top, Math.max(xOf(done) - xOf(first), 6), height,
      `answer ${index + 1}, ${turn.ending ?? "open"}\n${turn.model || "no words"}`);
  });
}

function tools(pen, look, { top, height }) {
  for (const tool of data.tools) {
    const to = tool.to ?? longest;
    pen.fillStyle = tool.to === null ? look.dim : look.control;
    round(pen, xOf(tool.from), top + 5, Math.max(xOf(to) - xOf(tool.from), 4), height - 10, 4);
    const took = tool.cancelled ? "cancelled" : tool.to === null ? "no result" : `${Math.round(to - tool.from)} ms`;
    spot(xOf(tool.from), top, Math.max(xOf(to) - xOf(tool.from), 8), height, `${tool.name}(${tool.args})\n${took}`);
  }
}

function events(pen, look, { top, height }) {
  for (const mark of data.marks) {
    const x = xOf(mark.t);
    const colour = app.bad.includes(mark.name) ? look.bad : mark.name === "Interrupted" ? look.model : look.control;
    pen.strokeStyle = pen.fillStyle = colour;
    pen.globalAlpha = 0.3;
    pen.beginPath();
    pen.moveTo(x, RULER);
    pen.lineTo(x, top + 6);
    pen.stroke();
    pen.globalAlpha = 1;
    pen.beginPath();
    pen.arc(x, top + height / 2, 4.5, 0, 7);
    pen.fill();
    spot(x - 6, top, 12, height, `${mark.name} ${mark.words}\n${app.seconds(mark.t)}`, mark.row);
  }
}

function cursor(pen, look) {
  const x = xOf(app.cursor);
  if (x < LEFT - 1 || x > width() - 7) return;
  pen.fillStyle = look.focus;
  pen.fillRect(x - 0.75, RULER - 8, 1.5, HEIGHT);
  pen.beginPath();
  pen.arc(x, RULER - 8, 4, 0, 7);
  pen.fill();
}

function spot(x, y, w, h, words, row) {
  spots.push({ x, y, w, h, words, row });
}

function under(event) {
  const box = canvas.getBoundingClientRect();
  const [x, y] = [event.clientX - box.left, event.clientY - box.top];
  const found = spots.findLast((s) => x >= s.x && x <= s.x + s.w && y >= s.y && y <= s.y + s.h);
  return { x, y, found };
}

canvas.addEventListener("mousemove", (event) => {
  const { x, y, found } = under(event);
  tip.hidden = x < LEFT;
  if (tip.hidden) return;
  tip.textContent = `${app.seconds(Math.max(msOf(x), 0))}${found ? `\n${found.words}` : ""}`;
  const room = width() - tip.offsetWidth - 4;
  tip.style.left = `${Math.min(x + 14, room)}px`;
  tip.style.top = `${Math.min(y + 16, HEIGHT - 10)}px`;
});
canvas.addEventListener("mouseleave", () => { tip.hidden = true; });

let drag = null;
canvas.addEventListener("pointerdown", (event) => {
  drag = { x: event.clientX, view: { ...view }, moved: false };
  canvas.setPointerCapture(event.pointerId);
});
canvas.addEventListener("pointermove", (event) => {
  if (!drag || Math.abs(event.clientX - drag.x) < 4) return;
  drag.moved = true;
  const span = drag.view.to - drag.view.from;
  if (span < longest) show(drag.view.from - ((event.clientX - drag.x) / (width() - LEFT)) * span, span);
});
canvas.addEventListener("pointerup", (event) => {
  const moved = drag?.moved;
  drag = null;
  const { x, found } = under(event);
  if (moved || x < LEFT) return;
  app.seek(msOf(x));
  if (found?.row !== undefined) app.goTo(found.row);
  else app.nearestRow();
});
canvas.addEventListener("wheel", (event) => {
  if (!event.ctrlKey && !event.metaKey && !event.shiftKey) return;
  event.preventDefault();
  if (event.shiftKey) pan((event.deltaY || event.deltaX) / 600);
  else app.zoom(event.deltaY < 0 ? 1.25 : 0.8, msOf(event.offsetX));
}, { passive: false });

function show(from, span) {
  span = Math.min(Math.max(span, 40), longest);
  from = Math.min(Math.max(from, 0), longest - span);
  view = { from, to: from + span };
  draw();
}

function pan(part) {
  const span = view.to - view.from;
  show(view.from + part * span, span);
}

app.zoom = (factor, around = app.cursor) => {
  const span = (view.to - view.from) / factor;
  const inside = around >= view.from && around <= view.to ? around : (view.from + view.to) / 2;
  show(inside - ((inside - view.from) / (view.to - view.from)) * span, span);
};
app.fit = () => show(0, longest);
app.view = () => view;

app.at("in").addEventListener("click", () => app.zoom(1.6));
app.at("out").addEventListener("click", () => app.zoom(1 / 1.6));
app.at("fit").addEventListener("click", app.fit);

if (tracks.length) {
  app.at("stage").hidden = false;
  const spoken = data.lanes.map((lane) => `${lane.role === "user" ? "the user" : "the model"} ${app.seconds(lane.ms, 1)}`);
  canvas.setAttribute("aria-label", `What was heard: ${spoken.join(", ") || "nothing"}. The turns below say it in words.`);
  const silent = data.lanes.length && data.lanes.every((lane) => !lane.audible);
  app.at("legend").textContent =
    (silent ? "The sound was not kept in this cassette; its length was. " : "") +
    "The model's sound is laid out as a loudspeaker plays it, and ends where somebody spoke over it. " +
    "Amber is waiting. Ctrl and the wheel zoom, dragging moves.";
  new ResizeObserver(draw).observe(canvas);
  app.listeners.push(() => {
    if (app.isPlaying?.() && (app.cursor > view.to || app.cursor < view.from)) {
      show(app.cursor, view.to - view.from);
    } else draw();
  });
}
