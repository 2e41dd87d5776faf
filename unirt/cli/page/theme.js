// What everything else shares: the data, the state, and a few words.
const data = JSON.parse(document.getElementById("data").textContent);

const app = (window.unirt = {
  data,
  cursor: 0, // where we are, in ms
  at: (id) => document.getElementById(id),
  seconds: (ms, digits = 3) => `${(ms / 1000).toFixed(digits)} s`,
  // An element with text in it; what stands in a frame becomes text and nothing else.
  make(tag, name, text) {
    const element = document.createElement(tag);
    if (name) element.className = name;
    if (text !== undefined && text !== null) element.textContent = String(text);
    return element;
  },
  colour: (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim(),
  bytes(base64) {
    const text = atob(base64);
    const found = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) found[i] = text.charCodeAt(i);
    return found;
  },
  bad: ["ProviderError", "Malformed", "Unmapped"], // events that are shown as such
  listeners: [],
  changed() { for (const listener of app.listeners) listener(); },
  moveTo(ms) {
    app.cursor = Math.min(Math.max(ms, 0), data.end);
    app.at("clock").textContent = app.seconds(app.cursor);
    app.changed();
  },
});

const root = document.documentElement;
const button = app.at("theme");

app.theme = (dark) => {
  root.dataset.theme = dark ? "dark" : "light";
  button.textContent = dark ? "Light" : "Dark";
  app.changed();
};
app.dark = () => root.dataset.theme === "dark";

const wanted = window.matchMedia("(prefers-color-scheme: dark)");
app.theme(location.hash === "#dark" || (location.hash !== "#light" && wanted.matches));
wanted.addEventListener("change", (event) => app.theme(event.matches));
button.addEventListener("click", () => app.theme(!app.dark()));
