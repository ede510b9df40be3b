/* page.js - the page: what is chosen, what is drawn, what is clicked. The simulator is in a worker
 * (worker.js); what the page knows of the run is the last state that it was told. */

import {$, capital, countText, el, setAttribute, setText} from "./dom.js";
import {fillChoices, showChoices} from "./choices.js";
import {Computer} from "./computer.js";
import {Events} from "./events.js";
import {Kept} from "./kept.js";
import {LINK_CHARACTERS, linkOf, readLink, readSeed} from "./link.js";
import {drawMoment, drawProof} from "./moment.js";
import {Network} from "./network.js";
import {Timeline} from "./timeline.js";
import {tellStory, triesText} from "./story.js";
import {Why} from "./why.js";

const ENGINE = new URL("tempest-sim.wasm", location.href).href;
const WHY = new URL("tempest-why.wasm", location.href).href;
const FIRST = "#scenario=zoo-03&seed=1&faults=-all";
const RATES = [1, 2, 4, 8, 20, 60, 200, 1000, 5000, 20000, Infinity];
const SPEED_ONE = 3; /* of the rates: one computer is followed step by step, */
const SPEED_MANY = 5; /* several have more to do */
const PLAIN = {seed: "1", profile: "", faults: "", clicks: [], at: 0};
const TOAST_MS = 4000;
const LINK_MS = 400;
const TAPE_BYTES = 1 << 24; /* more than that the simulator does not take */

let list = null;
let acts = {}; /* by name */
let setting = null;
let tape = null; /* {name, bytes, seed}: runs instead of the seed */
let last = null; /* the last that the worker told */
let state = null; /* of it, the world */
let computers = [];
let found = null; /* the explanation, as far as it is known */
let why = null; /* who finds it out */
let isAsked = false; /* it has the tape */
let explained = ""; /* which end it is about */
let opened = 0; /* runs so far: what comes late from an earlier one does not count */
let drawing = false;
let speedChosen = false; /* by the visitor */
let askPower = false; /* P was pressed: which node? */
let linkTimer = 0, toastTimer = 0;

const worker = new Worker(new URL("worker.js", import.meta.url), {type: "module"});
const tell = (order, more = {}) => worker.postMessage({order, ...more});
const network = new Network($("wires"), {
  power: node => act(nodeIsUp(node) ? "harsh" : "start", node),
  part: (a, b) => act("part", a, b),
  mend: (a, b) => act("mend", a, b),
});
const kept = new Kept(() => sessionStorage, performance.timeOrigin);
const timeline = new Timeline($("marks"), $("scrub"), event => tell("go", {event}));
const events = new Events($("events"));

function toast(words) {
  clearTimeout(toastTimer);
  setText($("toast"), words);
  $("toast").hidden = false;
  toastTimer = setTimeout(() => { $("toast").hidden = true; }, TOAST_MS);
}

/* ------------------------------------------------------------------ which run */

const bare = () => location.pathname + location.search; /* the address without a run */

function scenarioOf(name) {
  return list.scenarios.find(each => each.name === name);
}

function showRun() {
  showChoices(list, setting, tape);
  document.title = `${setting.scenario}, ${tape ? tape.name : "seed " + setting.seed} \u2013 Tempest playground`;
}

function begin(next, {clicks = [], at = 0, play = true} = {}) {
  setting = next;
  clearTimeout(linkTimer);
  linkTimer = 0;
  forget();
  state = last = null;
  computers = [];
  network.forget();
  $("nodes").replaceChildren();
  $("verdict").hidden = true;
  showRun();
  if (!speedChosen)
    setSpeed(scenarioOf(setting.scenario).nodes > 1 ? SPEED_MANY : SPEED_ONE);
  tell("open", {number: ++opened, setting: {...setting, tape: tape ? tape.bytes : null}, clicks, at, play: play && at === 0});
}

function beginFromLink(hash, play) {
  const {setting: next, clicks, at, wrong} = readLink(hash || FIRST, list, {...PLAIN, scenario: "zoo-03"});
  if (wrong.length > 0)
    toast(`Not understood in the link: ${wrong.join(", ")}`);
  tape = null;
  begin(next, {clicks, at, play});
}

/* What an entry of the history leads to: the run of its address, or one that has been kept. */
function beginEntry(entry, isFirst) {
  const play = !isFirst || !matchMedia("(prefers-reduced-motion: reduce)").matches;
  const run = entry && kept.find(entry.kept);
  if (run) {
    ({tape} = run);
    begin(run.setting, {...run, play});
    return;
  }
  beginFromLink(location.hash, play);
  if (entry)
    toast("The run that was here is kept no more, and no link leads to it: this is the first one. If you have its tape, open that.");
}

/* Back leads to the run before. */
function beginTape(name, bytes, next, seed = "") {
  writeEntry();
  tape = {name, bytes, seed};
  begin(next);
  history.pushState({kept: kept.keep({setting, tape, clicks: [], at: 0})}, "", bare());
}

/* Back leads to a tape that was there. */
function beginSeed(next) {
  if (tape) {
    writeEntry();
    history.pushState(null, "", linkOf(next, [], 0, list.acts));
  }
  tape = null;
  begin(next);
}

/* Where a tape was, and no seed is chosen, it is that of the tape. */
function chosen() {
  const given = readSeed($("seed").value), seed = given ?? (tape?.seed || setting.seed);
  if (tape && given === null)
    toast(tape.seed ? `Seed ${seed}, of which ${tape.name} is, without its clicks. Back leads to the tape.`
      : `${tape.name} is of no seed: this is seed ${seed}. Back leads to the tape.`);
  beginSeed({scenario: $("scenario").value, seed, profile: $("profile").value, faults: $("faults").value});
}

/* A link leaves out how long an act lasts, if it is as long as usual. */
const usualSpan = act => ({...act, span_ns: act.span_ns === acts[act.name].span_ns ? 0 : act.span_ns});

/* "" if none leads to this run: a tape says of which seed it is, or what was chosen is all that says it, or somebody clicks. */
function link() {
  const at = last && !last.playing ? last.event : 0, clicks = last ? last.clicks : [];
  const hash = !tape ? linkOf(setting, clicks, at, list.acts)
    : tape.seed && clicks.length === 0 && state ? linkOf({...setting, seed: tape.seed}, state.acts.map(usualSpan), at, list.acts) : "";
  return hash.length < LINK_CHARACTERS ? hash : "";
}

/* The entry of the history that is on the page leads to what is there. */
function writeEntry() {
  clearTimeout(linkTimer);
  linkTimer = 0;
  if (!last)
    return;
  const hash = link(), entry = history.state;
  if (hash) {
    if (hash !== location.hash || entry)
      history.replaceState(null, "", hash);
    return;
  }
  const key = kept.keep({setting, tape, clicks: last.clicks, at: last.playing ? 0 : last.event}, entry?.kept);
  if (location.hash || !entry)
    history.replaceState({kept: key}, "", bare());
}

/* It follows the run, though not at its speed: browsers allow so many changes only. */
function follow() {
  linkTimer ||= setTimeout(writeEntry, LINK_MS);
}

/* ------------------------------------------------------------------ what is drawn */

function draw() {
  drawing = false;
  tell("drawn");
  if (!state)
    return;
  if (computers.length !== state.nodes.length) {
    computers = state.nodes.map((_, i) => new Computer(i, act));
    $("nodes").replaceChildren(...computers.map(computer => computer.root));
    const columns = computers.length > 6 ? 4 : 3;
    setAttribute($("nodes"), "data-count", Math.min(computers.length, 7));
    setAttribute($("nodes"), "data-many", computers.length > 2);
    $("nodes").style.setProperty("--columns", computers.length === 4 ? 4 : columns);
    $("nodes").style.setProperty("--rows", computers.length > 4 ? Math.ceil((computers.length - 1) / (columns - 1)) : 1);
  }
  computers.forEach((computer, i) => computer.draw(state.nodes[i], state));
  network.draw(state, $("world").clientWidth);
  drawMoment(state, last, tape);
  drawControl();
  drawProof(state, last, tape);
  timeline.draw({event: last.event, known: last.known, end: last.end, list: last.marks});
  events.draw(last, state.nodes.map(node => node.name));
  drawVerdict();
  follow();
}

function drawControl() {
  document.body.dataset.playing = last.playing;
  setAttribute($("play"), "aria-label", last.playing ? "Pause" : "Play");
  for (const id of ["step", "next", "last"])
    $(id).disabled = state.over;
  $("first").disabled = $("back").disabled = last.event === 0;
  $("undo").disabled = !last.canUndo;
  setText($("undo"), last.clicks.length > 1 ? `Undo click (${last.clicks.length})` : "Undo click");
}

function drawVerdict() {
  if (!state.over) {
    $("verdict").hidden = true;
    if (!isAsked)
      explained = ""; /* if its tape was asked for, something else came first: it is asked for again */
    return;
  }
  const key = [last.generation, last.end, state.trace].join("/");
  if (key !== explained) {
    explained = key;
    found = null;
    if (state.verdict !== "passed")
      tell("tape", {why: key});
    $("verdict").hidden = true;
  }
  if ($("verdict").hidden) {
    drawStory();
    /* On a phone it is above the picture. */
    if (matchMedia("(max-width: 980px)").matches)
      $("verdict").scrollIntoView({block: "start"});
  }
}

function drawStory() {
  const scenario = scenarioOf(setting.scenario);
  const passed = state.verdict === "passed";
  const actions = [{words: "Watch it again", act: () => tell("go", {event: 0, thenPlay: true})}];
  if (!passed && last.clicks.length > 0)
    actions.unshift({words: "Take my click back", act: buttons.undo});
  if (found && found.tape && found.explanation.choices < found.explanation.choices_before)
    actions.push({words: "Watch the smallest run", act: () => beginTape(`${setting.scenario}-small.tape`, found.tape, setting)});
  if (!passed && scenario.twin && !scenario.is_twin && !tape)
    actions.push({words: "The same, to its repaired twin", act: () => begin({...setting, scenario: scenario.twin}, {clicks: last.clicks})});
  if (passed)
    actions.push({words: "Another seed", act: dice});
  tellStory($("verdict"), {state, found, last: events.last, actions});
}

/* ------------------------------------------------------------------ why it failed */

function forget() {
  why.forget();
  isAsked = false;
  found = null;
  explained = "";
}

function explain(bytes) {
  isAsked = true;
  why.ask({...setting, tape: bytes}, news => {
    found = news;
    /* The story is told once: who listens to it need not hear it again with every number. */
    if (found.explanation && !found.explanation.done) {
      if ($("tries"))
        setText($("tries"), triesText(found.explanation));
    } else if (state?.over && !$("verdict").hidden) {
      drawStory();
    }
  });
}

/* ------------------------------------------------------------------ what is done to it */

function nodeIsUp(node) {
  return state.nodes[node].state === "up" || state.nodes[node].state === "paused";
}

function act(name, node, other = 0) {
  if (!state || !acts[name])
    return;
  if (state.over) {
    toast("The run is over: go back to where there is something to break.");
    return;
  }
  forget();
  tell("act", {act: {kind: acts[name].kind, node, other, span_ns: 0}});
}

function dice() {
  beginSeed({...setting, seed: String(1 + Math.floor(Math.random() * 9999))});
}

async function copy(text, words) {
  try {
    await navigator.clipboard.writeText(text);
    toast(words);
  } catch {
    toast(`The browser does not let this page copy. Here it is: ${text}`);
  }
}

function share() {
  const hash = link();
  if (!hash) {
    toast("This run does not fit into a link: save its tape.");
    return;
  }
  copy(location.href.replace(/#.*/, "") + hash, state.acts.length > 0 ? "Copied: the link has your clicks." : "Copied.");
}

function gotTape({why, tape: bytes, state: end}) {
  if (why !== "save") {
    if (why === explained)
      explain(bytes);
    return;
  }
  const name = `${setting.scenario}-${tape ? "tape" : setting.seed}.tape`;
  const url = URL.createObjectURL(new Blob([bytes], {type: "application/octet-stream"}));
  el("a", {href: url, download: name}).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
  toast(end.verdict === "stopped" ? `Saved as ${name}; natively it stops itself, too.` : `Saved as ${name}; natively it ends with the hash ${end.trace}.`);
}

async function openTape(file) {
  if (!file)
    return;
  if (file.size > TAPE_BYTES) {
    toast(`${file.name} is too large for a tape.`);
    return;
  }
  try {
    tell("label", {name: file.name, bytes: new Uint8Array(await file.arrayBuffer())});
  } catch {
    toast(`${file.name} cannot be read.`); /* a folder, for one */
  }
}

/* What a tape says of itself, or what is wrong with it: then all stays as it is. */
function gotLabel({name, bytes, label, wrong}) {
  if (wrong) {
    toast(`${name}: ${wrong}.`);
    return;
  }
  const {seed, ...manner} = label;
  beginTape(name, bytes, label.scenario ? {...setting, ...manner} : setting, seed);
  if (!label.scenario)
    toast(`${name} does not say of what it is: it runs as what was chosen.`);
}

/* ------------------------------------------------------------------ keys and buttons */

function chooseSpeed(value) {
  speedChosen = true;
  setSpeed(value);
}

function setSpeed(value) {
  const at = Math.min(RATES.length - 1, Math.max(0, value)), rate = RATES[at];
  $("speed").value = at;
  setText($("speed-text"), rate === Infinity ? "full speed" : `${countText(rate)} event${rate === 1 ? "" : "s"}/s`);
  document.body.style.setProperty("--beat", rate > 60 ? "0s" : `${Math.min(0.4, 0.9 / rate)}s`);
  tell("rate", {events: rate});
}

function previousMark() {
  const earlier = timeline.list ? timeline.list.filter(mark => mark.event < last.event) : [];
  tell("go", {event: earlier.length > 0 ? earlier[earlier.length - 1].event : 0});
}

function togglePlay() {
  if (last && state.over)
    tell("go", {event: 0, thenPlay: true});
  else
    tell("play", {on: !(last && last.playing)});
}

const buttons = {
  first: () => tell("go", {event: 0}),
  back: () => tell("by", {events: -1}),
  play: togglePlay,
  step: () => tell("by", {events: 1}),
  next: () => tell("next"),
  last: () => tell("go", {event: Infinity}),
  undo: () => { forget(); tell("undo"); },
  dice,
  copy: () => copy(state.command, "Copied."),
  share,
  save: () => tell("tape", {why: "save"}),
  open: () => $("file").click(),
  keys: () => $("help").showModal(),
};

const keys = {
  " ": togglePlay,
  "ArrowLeft": event => event.shiftKey ? previousMark() : buttons.back(),
  "ArrowRight": event => event.shiftKey ? buttons.next() : buttons.step(),
  "Home": buttons.first,
  "End": buttons.last,
  "-": () => chooseSpeed(Number($("speed").value) - 1),
  "+": () => chooseSpeed(Number($("speed").value) + 1),
  "=": () => chooseSpeed(Number($("speed").value) + 1),
  "u": buttons.undo,
  "n": dice,
  "l": share,
  "s": buttons.save,
  "o": buttons.open,
  "?": buttons.keys,
  "p": () => {
    if (state.nodes.length === 1) {
      act("harsh", 0);
    } else {
      askPower = true;
      toast("Cut the power of which node? Press its number, from 1 on.");
    }
  },
};

function keyed(event) {
  const at = event.target;
  if (event.ctrlKey || event.altKey || event.metaKey || !state || $("help").open || at.matches("input:not([type=range]), select"))
    return;
  if (event.key === " " && at.closest("button, a, summary, [role=button]"))
    return;
  if (at.matches("[type=range]") && !/^[a-z1-9 +=?-]$/i.test(event.key))
    return;
  if (askPower) {
    askPower = false;
    $("toast").hidden = true;
    if (/^[1-9]$/.test(event.key) && Number(event.key) <= state.nodes.length) {
      act("harsh", Number(event.key) - 1);
      return;
    }
  }
  const does = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (does) {
    event.preventDefault();
    does(event);
  }
}

function listen() {
  for (const [id, does] of Object.entries(buttons))
    $(id).addEventListener("click", () => { if (state || id === "open" || id === "dice") does(); });
  for (const id of ["scenario", "profile", "faults"])
    $(id).addEventListener("change", chosen);
  $("seed").addEventListener("change", () => {
    const isWrong = readSeed($("seed").value) === null;
    chosen();
    if (isWrong)
      toast("A seed is a number from 0 to 18446744073709551615.");
  });
  $("setting").addEventListener("submit", event => { event.preventDefault(); $("seed").blur(); });
  $("speed").addEventListener("input", () => chooseSpeed(Number($("speed").value)));
  $("file").addEventListener("change", () => { openTape($("file").files[0]); $("file").value = ""; });
  document.addEventListener("keydown", keyed);
  document.addEventListener("dragover", event => event.preventDefault());
  document.addEventListener("drop", event => { event.preventDefault(); openTape(event.dataTransfer.files[0]); });
  addEventListener("popstate", event => beginEntry(event.state, false));
  addEventListener("pagehide", () => kept.store());
  new ResizeObserver(() => { if (state) network.draw(state, $("world").clientWidth); }).observe($("world"));
}

const heard = {
  list: message => {
    list = message.list;
    why = new Why(message.module, WHY);
    fillChoices(list);
    for (const each of list.acts) {
      each.links = each.name === "cut" || each.name === "part" || each.name === "mend";
      acts[each.name] = each;
    }
    setSpeed(Number($("speed").value));
    listen();
    beginEntry(history.state, true);
  },
  state: message => {
    if (message.opened !== opened) {
      tell("drawn");
      return;
    }
    last = message;
    state = JSON.parse(message.state);
    if (message.refused)
      toast(capital(message.refused));
    if (!drawing) {
      drawing = true;
      requestAnimationFrame(draw);
    }
  },
  tape: gotTape,
  label: gotLabel,
  error: message => {
    if (!list) {
      setText($("lead"), `The simulator could not be loaded: ${message.text}`);
      return;
    }
    toast(capital(message.text));
    if (!state && setting.faults) /* of a link, and of no family */
      begin({...setting, faults: ""}, {play: false});
  },
};

worker.onmessage = ({data}) => heard[data.say](data);
worker.onerror = event => heard.error({text: event.message || "this browser has no module workers"});
tell("load", {url: ENGINE});
