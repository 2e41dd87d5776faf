// Playing what was heard: one source a lane, all started at once.
const app = window.unirt;
const play = app.at("play");
const lanes = app.data.lanes.filter((lane) => lane.pcm);
let context = null;
let playing = null; // { began: context time, from: ms, sources }

function buffers() {
  for (const lane of lanes) {
    if (lane.buffer) continue;
    const bytes = app.bytes(lane.pcm);
    const samples = new Int16Array(bytes.buffer, 0, bytes.length >> 1);
    lane.buffer = context.createBuffer(1, samples.length, lane.rate);
    const channel = lane.buffer.getChannelData(0);
    for (let i = 0; i < samples.length; i++) channel[i] = samples[i] / 32768;
  }
}

function start() {
  context ??= new AudioContext();
  context.resume();
  buffers();
  const from = app.cursor >= app.data.end - 20 ? 0 : app.cursor;
  const sources = lanes.map((lane) => {
    const source = context.createBufferSource();
    lane.gain = context.createGain();
    lane.gain.gain.value = lane.muted ? 0 : 1;
    source.buffer = lane.buffer;
    source.connect(lane.gain).connect(context.destination);
    source.start(0, from / 1000);
    return source;
  });
  playing = { began: context.currentTime, from, sources };
  play.textContent = "Stop";
  requestAnimationFrame(follow);
}

function stop() {
  if (!playing) return;
  for (const source of playing.sources) source.stop();
  playing = null;
  play.textContent = "Play";
}

function follow() {
  if (!playing) return;
  const now = playing.from + (context.currentTime - playing.began) * 1000;
  app.moveTo(now);
  if (now >= app.data.end) stop();
  else requestAnimationFrame(follow);
}

app.toggle = () => (playing ? stop() : lanes.length && start());
app.isPlaying = () => playing !== null;
app.seek = (ms) => {
  const was = playing !== null;
  stop();
  app.moveTo(ms);
  if (was) start();
};

play.addEventListener("click", app.toggle);
play.disabled = lanes.length === 0;
if (!lanes.length) play.title = "No sound was kept in this cassette";

for (const lane of lanes) {
  const which = app.data.several ? ` ${lane.c}` : "";
  const mute = app.make("button", lane.role, (lane.role === "user" ? "user" : "model") + which);
  mute.type = "button";
  mute.setAttribute("aria-pressed", "true");
  mute.title = "Hear it, or not";
  mute.addEventListener("click", () => {
    lane.muted = !lane.muted;
    mute.setAttribute("aria-pressed", String(!lane.muted));
    if (lane.gain) lane.gain.gain.value = lane.muted ? 0 : 1;
  });
  app.at("mutes").append(mute);
}
