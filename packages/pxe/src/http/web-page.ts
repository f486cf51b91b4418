import { createHash } from "node:crypto";

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif; }
body { margin: 1.5rem auto; max-width: 70rem; padding: 0 1rem; }
h1 { font-size: 1.2rem; } h2 { font-size: 1rem; margin: 1.4rem 0 .3rem; }
#state { opacity: .7; }
section { border-top: 1px solid #8886; padding: .3rem 0 .8rem; }
.stage { font-weight: 600; } .stage[data-outcome=stopped] { color: #c33; }
.stage[data-outcome=booted], .stage[data-outcome=done] { color: #293; }
.muted { opacity: .7; } .trouble { color: #c33; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
td { padding: 0 .8rem 0 0; vertical-align: top; } td:first-child { text-align: right; }
.bar { display: inline-block; height: .6rem; min-width: 2px; background: #48a; vertical-align: middle; }
.wait { background: #a84; }
ol { margin: .3rem 0; padding-left: 1.4rem; }
`;

// Everything that machines have said is set as text, never as HTML.
const SCRIPT = `
"use strict";
const machines = new Map();
const list = document.getElementById("machines");
const state = document.getElementById("state");
const make = (name, text, kind) => {
  const node = document.createElement(name);
  if (text !== undefined) node.textContent = text;
  if (kind) node.className = kind;
  return node;
};
const seconds = (ms) => (ms / 1000).toFixed(ms < 10000 ? 2 : 1) + " s";
const bytes = (n) => n < 1048576 ? (n / 1024).toFixed(1) + " KiB" : (n / 1048576).toFixed(1) + " MiB";
const rowOf = (at, name, took, kind, detail, whole) => {
  const row = make("tr");
  row.append(make("td", seconds(at)), make("td", name));
  const cell = make("td"), bar = make("span", undefined, "bar " + kind);
  bar.style.width = Math.min(20, 20 * took / Math.max(1, whole)) + "rem";
  cell.append(bar, " " + (took > 0 ? seconds(took) : ""));
  row.append(cell, make("td", detail, "muted"));
  return row;
};
const bootOf = (boot) => {
  const table = make("table");
  const whole = Math.max(1, ...boot.steps.map((step) => step.ended - boot.began));
  for (const step of boot.steps) {
    const size = step.bytes === undefined ? "" : bytes(step.bytes) + (step.bytesPerSecond ? ", " + bytes(step.bytesPerSecond) + "/s" : "");
    const again = step.times > 1 ? step.times + " times" : "";
    table.append(rowOf(step.began - boot.began, step.step, step.ended - step.began, "",
      [step.detail, size, step.via, again].filter(Boolean).join(" "), whole));
  }
  for (const wait of boot.waits) {
    if (wait.milliseconds < 500 && wait.who !== "server") continue;
    table.append(rowOf(0, wait.between, wait.milliseconds, "wait",
      "waited (" + wait.who + ")" + (wait.why ? ": " + wait.why : "") + (wait.cure ? "; cure: " + wait.cure : ""), whole));
  }
  return table;
};
const show = (machine) => {
  const section = make("section");
  const title = make("h2", machine.name ? machine.name + " " : "");
  title.append(make("code", machine.mac));
  const boot = machine.boots[0];
  const stage = make("span", machine.stage, "stage");
  stage.dataset.outcome = boot ? boot.outcome : "";
  const line = make("div");
  line.append(stage, make("span", " " + [machine.address, machine.firmware, machine.arch,
    machine.queued ? machine.queued + " queued" : "", "seen " + new Date(machine.lastSeen).toLocaleTimeString()]
    .filter(Boolean).join(", "), "muted"));
  section.append(title, line);
  if (boot) section.append(bootOf(boot));
  for (const trouble of machine.troubles) section.append(make("div", trouble, "trouble"));
  if (machine.boots.length > 1) {
    const more = make("details"), history = make("ol");
    more.append(make("summary", (machine.boots.length - 1) + " earlier"));
    for (const old of machine.boots.slice(1)) {
      history.append(make("li", new Date(old.began).toLocaleString() + ": " + old.outcome + (old.plan ? ", " + old.plan : "") + (old.run ? ", run " + old.run : "")));
    }
    more.append(history);
    const before = machines.get(machine.mac);
    more.open = Boolean(before && before.querySelector("details") && before.querySelector("details").open);
    section.append(more);
  }
  const before = machines.get(machine.mac);
  if (before) before.replaceWith(section); else list.prepend(section);
  machines.set(machine.mac, section);
};
const feed = new EventSource("v1/events");
feed.addEventListener("machines", (event) => {
  JSON.parse(event.data).forEach(show);
  state.textContent = machines.size === 0 ? "no machine has been seen yet" : "";
});
feed.onopen = () => { state.textContent = "waiting for machines"; };
feed.onerror = () => { state.textContent = "the server does not answer; trying again"; };
`;

function hash(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

/** The page: one file, nothing fetched from elsewhere, nothing built. */
export const PAGE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>pxe-serve</title><style>${STYLE}</style></head>
<body><h1>Machines</h1><p id="state">waiting for the server</p><main id="machines"></main>
<script>${SCRIPT}</script></body></html>
`;

/** No other script than the page's own runs in it, whatever a machine calls itself. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": `default-src 'none'; script-src ${hash(SCRIPT)}; style-src ${hash(STYLE)}; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};
