/* page.js - what the reader does: choose a run, step, search, zoom; and what is said about it. */

const data = JSON.parse(document.getElementById("data").textContent);
const at = id => document.getElementById(id);
const runs = data.runs.map(raw => new Run(data, raw));
const NODES_TOLD = 4; /* whose files are listed for what happens to the whole run */
const WINDOW = 60; /* events in the list, around the one that is selected */
let run = runs[0], cursor = 0, found = [];

if (data.explanation) {
  for (const name of ["unkept", "text"])
    data.explanation[name] = decodeLines(data.explanation[name]);
  for (const place of data.explanation.places) {
    place.operation = decode(place.operation);
    place.site = decode(place.site);
    place.promise = decode(place.promise || "");
    place.own = decode(place.own || "");
  }
}

function decodeLines(text) {
  return text.split("\n").map(decode).join("\n");
}

const timeline = new Timeline(at("frame"), at("canvas"), go);

/* ------------------------------------------------------------------ the selected event */

function go(index) {
  if (run.events.length === 0)
    return;
  cursor = Math.max(0, Math.min(index, run.events.length - 1));
  timeline.focus(cursor);
  listEvents();
  tellDetails(run.events[cursor]);
  at("where").textContent = (cursor + 1) + " of " + run.events.length;
  at("back").disabled = at("first").disabled = cursor === 0;
  at("step").disabled = at("last").disabled = cursor === run.events.length - 1;
}

/* From one event that stands out to the next. */
function leap(way) {
  let index = cursor + way;
  while (index > 0 && index < run.events.length - 1 && !run.events[index].major)
    index += way;
  go(index);
}

function listEvents() {
  const list = at("events"), first = Math.max(0, Math.min(cursor - WINDOW / 2, run.events.length - WINDOW));
  const focused = list.contains(document.activeElement);
  list.textContent = "";
  for (const event of run.events.slice(first, first + WINDOW)) {
    const line = element("button", {type: "button", tabindex: event.index === cursor ? "0" : "-1",
      onclick: () => go(event.index)},
    element("span", {class: "time"}, timeText(event.t)), element("span", {class: "who"}, event.node
      ? run.node(event.node).label : ""), element("span", {class: "words"}, event.words));
    const item = element("li", {class: "e-" + (event.kind || event.type) + (event.bad ? " bad" : "") +
      (timeline.marks.has(event.index) ? " mark" : "") + (timeline.matches.has(event.index) ? " match" : "")}, line);
    if (event.index === cursor)
      item.setAttribute("aria-current", "true");
    list.append(item);
  }
  const current = list.querySelector("[aria-current]");
  list.scrollTop = current.offsetTop - list.clientHeight / 2;
  if (focused)
    current.firstChild.focus({preventScroll: true});
}

function row(name, value) {
  return value === "" || value === undefined || value === null ? []
    : [element("dt", {}, name), element("dd", {}, value)];
}

function tellDetails(event) {
  const box = at("details"), list = element("dl", {});
  box.textContent = "";
  at("kind").textContent = event.words;
  list.append(...row("when", timeText(event.t)), ...row("where", event.node ? run.node(event.node).label
    : "the whole run"));
  if (event.type === "op")
    tellOperation(event, list);
  box.append(list);
  if (timeline.marks.has(event.index))
    box.prepend(element("p", {class: "note"}, {
      barrier: "Here a barrier is missing: what this did was not yet on the disk.",
      torn: "What a power cut leaves of this is what the program does not bear.",
      choice: "This is what the program does not bear: without it the run passes.",
      early: "This was told too early: it was not durable yet."}[data.explanation.how] ||
      "This error is what the program does not bear."));
  if (event.type === "power")
    box.append(element("p", {}, "What was in memory is gone. Of what was in the device's cache, a part may have stayed. ",
      "See the files at the next boot."));
  if (event.type === "verdict" && event.bad && data.explanation && run === runs[0])
    box.append(element("pre", {class: "note"}, data.explanation.text));
  if (event.node)
    tellNode(run.node(event.node), event, box);
  else
    run.order.slice(0, NODES_TOLD).forEach(node => tellNode(node, event, box));
}

function tellOperation(op, list) {
  const time = index => timeText(run.facts[index][0]);
  list.append(...row("source", op.site ? element("code", {}, op.site) : "not known"), ...row("file", op.path || op.text),
    ...row("result", op.result === undefined ? "it never completes" : String(op.result)),
    ...row("submitted", time(op.from)), ...row("takes effect", op.effect === undefined ? "never" : time(op.effect)),
    ...row("completes", op.to === undefined ? "never" : time(op.to)));
  if (op.message) {
    const to = run.nodes.get(op.message.to);
    list.append(...row("message to", to ? to.label : "nobody known"), ...row("received",
      op.message.received === null ? "not that was seen" : time(op.message.received)));
  }
}

function tellNode(node, event, box) {
  const state = run.filesAt(node.number, event.index), busy = run.inFlightAt(node.number, event.at);
  if (state) {
    const body = element("tbody", {});
    for (const {path, disk} of state.files) {
      const cells = [disk.size + (disk.size === disk.mediaSize ? "" : " (on disk " + disk.mediaSize + ")"), disk.cached,
        disk.device, disk.durable, disk.lost];
      body.append(element("tr", {class: disk.cached || disk.device || disk.lost || disk.size !== disk.mediaSize ? "soft"
        : ""}, element("th", {scope: "row"}, path), ...cells.map(cell => element("td", {}, String(cell)))));
    }
    box.append(element("h3", {}, "The files of " + node.label + " at this moment"));
    if (state.files.length > 0)
      box.append(element("div", {class: "scroll"}, element("table", {}, element("thead", {}, element("tr", {},
        ...["file", "bytes", "only in memory", "in the device", "durable", "lost"].map(name => element("th",
          {scope: "col"}, name)))), body)), element("p", {class: "quiet"}, "Counted in pages of 4096 bytes."));
    else
      box.append(element("p", {class: "quiet"}, "None that was seen."));
    box.append(element("p", {class: state.names ? "soft" : "quiet"}, state.names === 0
      ? "Every name (create, rename, remove) is durable." : state.names + (state.names === 1 ? " name" : " names") +
      " (create, rename, remove) not durable: a power cut may undo " + (state.names === 1 ? "it." : "them.")));
  }
  if (busy.length > 0)
    box.append(element("h3", {}, "In flight on " + node.label), element("ul", {}, ...busy.slice(0, 12).map(op => element("li", {},
      element("button", {type: "button", class: "link", onclick: () => go(op.index)}, op.words)))));
}

/* ------------------------------------------------------------------ search */

function search() {
  const words = at("search").value.toLowerCase().split(/\s+/).filter(word => word);
  found = words.length === 0 ? [] : run.events.filter(e => words.every(word => e.find.includes(word)))
    .map(e => e.index);
  timeline.matches = new Set(found);
  if (found.length > 0 && !timeline.matches.has(cursor))
    go(found.find(index => index >= cursor) !== undefined ? found.find(index => index >= cursor) : found[0]);
  else
    go(cursor);
  at("found").textContent = words.length === 0 ? "" : found.length === 0 ? "nothing found" : found.length + " found";
}

function searchNext(way) {
  if (found.length === 0)
    return;
  const next = way > 0 ? found.find(i => i > cursor) : [...found].reverse().find(i => i < cursor);
  go(next !== undefined ? next : way > 0 ? found[0] : found[found.length - 1]);
  at("found").textContent = (found.indexOf(cursor) + 1) + " of " + found.length;
}

/* ------------------------------------------------------------------ runs */

function choose(index) {
  run = runs[index];
  found = [];
  at("search").value = "";
  at("found").textContent = "";
  [...at("runs").children].forEach((tab, i) => tab.setAttribute("aria-selected", String(i === index)));
  const explained = data.explanation && index === 0;
  timeline.show(run, new Set(explained ? pointedAt(data.explanation, run) : []));
  at("failure").hidden = run.failure < 0;
  const limits = [];
  if (run.raw.left_out > 0)
    limits.push(run.raw.left_out + " earlier facts are left out: a page holds the latest " + data.facts_max + ".");
  if (run.raw.not_followed > 0)
    limits.push(run.raw.not_followed + " messages were not followed to their receivers.");
  limits.push("Of a file at most " + data.pages_max + " pages are counted, of a disk at a boot at most " +
    data.files_max + " files listed. Trace " + run.raw.trace + ".");
  if (data.replay)
    limits.push("In a terminal: " + decode(data.replay));
  at("limits").textContent = limits.join(" ");
  const mark = [...timeline.marks][0];
  go(mark !== undefined ? mark : run.failure >= 0 ? run.failure : 0);
}

function listRuns() {
  if (runs.length < 2) {
    at("runs").hidden = true;
    return;
  }
  runs.forEach((each, i) => at("runs").append(element("button", {type: "button", role: "tab", onclick: () => choose(i)},
    decode(each.raw.title), element("span", {class: "quiet"}, each.raw.operations + " operations"))));
}

function listColours() {
  for (const [colour, words] of [["op-write", "writes"], ["op-sync", "syncs"], ["op-names", "names"], ["op-read", "reads"],
    ["op-network", "network, messages"], ["bad", "errors, crashes, failure"], ["promise", "promises"],
    ["disk-cached", "pages only in memory"], ["disk-device", "in the device's cache"], ["disk-lost", "lost, unnoticed"],
    ["disk-names", "names not durable"]])
    at("legend").append(element("span", {}, element("i", {class: colour}), words));
  if (data.explanation && data.explanation.places.length > 0)
    at("legend").append(element("span", {}, element("i", {class: "ring"}), "where the explanation points"));
}

/* ------------------------------------------------------------------ keys and buttons */

function keyed(e) {
  if (e.target === at("search")) {
    if (e.key === "Enter")
      searchNext(e.shiftKey ? -1 : 1);
    else if (e.key === "Escape")
      at("frame").focus();
    return;
  }
  if (e.ctrlKey || e.metaKey || e.altKey)
    return;
  const middle = timeline.width / 2;
  const acts = {ArrowRight: () => e.shiftKey ? leap(1) : go(cursor + 1), ArrowLeft: () => e.shiftKey ? leap(-1)
    : go(cursor - 1), Home: () => go(0), End: () => go(run.events.length - 1), f: () => at("failure").click(),
  "+": () => timeline.zoom(0.6, middle), "=": () => timeline.zoom(0.6, middle), "-": () => timeline.zoom(1 / 0.6, middle),
  "0": () => timeline.fit(), t: () => at("scale").click(), "/": () => at("search").focus()};
  const act = acts[e.key.length === 1 ? e.key.toLowerCase() : e.key];
  if (act) {
    e.preventDefault();
    act();
  }
}

function begin() {
  const failed = runs[runs.length - 1].failed;
  document.title = data.scenario + ", " + decode(data.origin) + ": " + runs[0].raw.verdict;
  at("title").textContent = decode(data.scenario);
  at("origin").textContent = decode(data.origin);
  at("verdict").textContent = runs[0].raw.verdict;
  at("verdict").classList.add(failed ? "bad" : "good");
  at("message").textContent = failed ? sentence(runs[0].raw.message) : "";
  at("program").textContent = data.summary ? capital(decode(data.summary)) + "." : "";
  document.addEventListener("keydown", keyed);
  at("first").onclick = () => go(0);
  at("back").onclick = () => go(cursor - 1);
  at("step").onclick = () => go(cursor + 1);
  at("last").onclick = () => go(run.events.length - 1);
  at("failure").onclick = () => run.failure >= 0 && go(run.failure);
  at("in").onclick = () => timeline.zoom(0.6, timeline.width / 2);
  at("out").onclick = () => timeline.zoom(1 / 0.6, timeline.width / 2);
  at("fit").onclick = () => timeline.fit();
  at("scale").onclick = () => {
    timeline.exact = !timeline.exact;
    at("scale").setAttribute("aria-pressed", String(timeline.exact));
    timeline.fit();
    timeline.focus(cursor);
  };
  at("search").oninput = search;
  at("theme").onclick = () => {
    const dark = matchMedia("(prefers-color-scheme: dark)").matches, root = document.documentElement;
    root.dataset.theme = (root.dataset.theme || (dark ? "dark" : "light")) === "dark" ? "light" : "dark";
    timeline.draw();
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => timeline.draw());
  listRuns();
  listColours();
  choose(0);
  tellStory(data, run, index => {
    if (run !== runs[0])
      choose(0);
    go(index);
    at("frame").scrollIntoView({block: "nearest"});
  });
}

begin();
