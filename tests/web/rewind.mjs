/* rewind.mjs MODULE TEMPEST-SIM STOPS: runs that go back and forth, against the native simulator; STOPS is the module
 * of stops_module.c. */

import assert from "node:assert";
import {execFileSync} from "node:child_process";
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from "node:fs";
import {tmpdir} from "node:os";
import {join} from "node:path";
import test from "node:test";

import {Engine, EngineError} from "../../apps/web/engine.js";
import {Run} from "../../apps/web/run.js";

const [MODULE, SIM, STOPS] = process.argv.slice(2);
const module = new WebAssembly.Module(readFileSync(MODULE));
const list = new Engine(module).list();
const kindOf = name => list.acts.find(act => act.name === name).kind;
const settingOf = (scenario, seed, more = {}) => ({scenario, seed: String(seed), profile: "", faults: "", tape: null, ...more});

function open(setting, clicks = [], bytesMax = 64 << 20, from = module) {
  const run = new Run(() => new Engine(from), bytesMax);
  run.open(setting, clicks);
  return run;
}

const stateOf = run => JSON.parse(run.engine.stateText());
const goTo = (run, event) => {
  run.aim(Math.min(event, run.known));
  assert.ok(run.forward(event, Infinity));
};

/* What the native simulator says of the same run. */
function native(scenario, ...words) {
  let out;
  try {
    out = execFileSync(SIM, ["replay", scenario, ...words], {encoding: "utf8", stdio: ["ignore", "pipe", "ignore"]});
  } catch (error) {
    out = error.stdout;
  }
  const found = /^(\S+): (\w+), trace ([0-9a-f]{16}), ended in (\S+), (\d+) operations$/m.exec(out);
  assert.ok(found, `tempest-sim said: ${out}`);
  return {verdict: found[2], trace: found[3], operations: Number(found[5])};
}

test("a seed has the hash that it has natively, passed or failed", () => {
  for (const [scenario, seed] of [["tally", 1], ["tally", 7], ["zoo-03", 1], ["zoo-05", 3], ["zoo-13", 142], ["zoo-13-twin", 5], ["kv", 42], ["log3", 2], ["copy", 1]]) {
    const run = open(settingOf(scenario, seed));
    goTo(run, Infinity);
    const {trace, verdict, operations} = stateOf(run);
    assert.deepEqual({trace, verdict, operations}, native(scenario, "--seed", String(seed)), `${scenario} ${seed}`);
  }
});

test("profile and faults count, too", () => {
  const run = open(settingOf("tally", 4, {profile: "ext4", faults: "-all,+power"}));
  goTo(run, Infinity);
  assert.equal(stateOf(run).trace, native("tally", "--seed", "4", "--profile", "ext4", "--faults=-all,+power").trace);
});

test("back and forth comes to the same moments, with a ring that must thin out", () => {
  const run = open(settingOf("tally", 7), [], 1 << 20);
  goTo(run, Infinity);
  const end = run.event, last = stateOf(run).trace;
  const seen = new Map();
  for (const part of [0.9, 0.1, 0.5, 0.49, 0.99, 0, 0.75, 0.1, 0.9, 0.5]) {
    const event = Math.floor(end * part);
    goTo(run, event);
    assert.equal(run.event, event);
    const text = run.engine.stateText();
    if (seen.has(event))
      assert.equal(text, seen.get(event), `event ${event}`);
    seen.set(event, text);
    const fresh = open(settingOf("tally", 7));
    goTo(fresh, event);
    assert.equal(text, fresh.engine.stateText(), `event ${event} from the beginning`);
  }
  assert.ok(run.ring.bytes <= 1 << 20);
  goTo(run, Infinity);
  assert.equal(run.event, end);
  assert.equal(stateOf(run).trace, last);
});

test("one event back and one forward", () => {
  const run = open(settingOf("zoo-03", 1, {faults: "-all"}));
  goTo(run, 60);
  const there = run.engine.stateText();
  goTo(run, 59);
  assert.notEqual(run.engine.stateText(), there);
  goTo(run, 60);
  assert.equal(run.engine.stateText(), there);
});

test("the end is the end again, one event back and one forward", () => {
  for (const [scenario, faults] of [["tally", ""], ["zoo-03", "-all"], ["zoo-13", "-all"], ["log3", "-all"]]) {
    const run = open(settingOf(scenario, 1, {faults}));
    goTo(run, Infinity);
    const {end} = run, text = run.engine.stateText();
    assert.equal(run.isOver, true);
    for (const event of [end, end + 1, Infinity]) {
      goTo(run, end - 1);
      assert.equal(run.isOver, false);
      goTo(run, event);
      assert.equal(run.event, end);
      assert.equal(run.engine.stateText(), text, `${scenario}, to ${event}`);
    }
  }
});

test("a moment of a link that is the verdict's is that of the verdict, and no other one is", () => {
  for (const [scenario, faults] of [["tally", ""], ["zoo-03", "-all"], ["zoo-13", "-all"]]) {
    const whole = open(settingOf(scenario, 1, {faults}));
    goTo(whole, Infinity);
    for (const at of [whole.event, whole.event - 1]) {
      const run = open(settingOf(scenario, 1, {faults}));
      goTo(run, at);
      run.settle();
      assert.deepEqual([run.event, run.isOver], [at, at === whole.event], `${scenario} at ${at}`);
      goTo(run, Infinity);
      assert.equal(run.engine.stateText(), whole.engine.stateText());
    }
  }
});

/* Clicks at these parts of a run; then the tape must replay natively. */
function clicked(scenario, seed, faults, clicks) {
  const run = open(settingOf(scenario, seed, {faults}));
  goTo(run, Infinity);
  const end = run.event;
  for (const [part, name, node, other = 0] of clicks) {
    goTo(run, Math.max(run.done > 0 ? run.clicks[run.done - 1].event : 0, Math.floor(end * part)));
    if (run.isOver)
      break;
    try {
      run.click({kind: kindOf(name), node, other, span_ns: 0});
    } catch (error) {
      assert.ok(error instanceof EngineError && error.message.length > 5, `${name}: ${error}`);
    }
  }
  return run;
}

const scratch = mkdtempSync(join(tmpdir(), "tempest-web-"));
process.on("exit", () => rmSync(scratch, {recursive: true}));

test("clicks are part of the tape: it replays natively, and here, to the same hash", () => {
  const all = [["zoo-03", 1, "-all", [[0.3, "harsh", 0]]],
    ["tally", 3, "-all", [[0.2, "sync", 0], [0.3, "pause", 0], [0.4, "kill", 0], [0.6, "fill", 0], [0.7, "room", 0]]],
    ["tally", 9, "", [[0.1, "power", 0], [0.2, "power", 0], [0.5, "sync", 0]]],
    ["log3", 1, "-all", [[0.3, "part", 0, 1], [0.4, "harsh", 2], [0.5, "sync", 1], [0.6, "mend", 0, 1]]],
    ["zoo-13", 2, "-all", [[0.1, "part", 0, 1], [0.2, "power", 2], [0.3, "mend", 0, 1], [0.4, "heal", 0]]]];
  for (const [scenario, seed, faults, clicks] of all) {
    const run = clicked(scenario, seed, faults, clicks);
    goTo(run, Infinity);
    const {trace, verdict, operations, acts} = stateOf(run);
    assert.equal(acts.length, run.clicks.length);
    assert.ok(acts.length > 0, scenario);
    const path = join(scratch, `${scenario}.tape`);
    const tape = run.engine.tape();
    writeFileSync(path, tape);
    assert.deepEqual({trace, verdict, operations}, native(scenario, "--tape", path), `${scenario} ${seed}, natively`);
    const again = open(settingOf(scenario, seed, {tape}));
    goTo(again, Infinity);
    assert.equal(stateOf(again).trace, trace, `${scenario} ${seed}, from its tape`);
    const linked = open(settingOf(scenario, seed, {faults}), run.clicks);
    goTo(linked, Infinity);
    assert.equal(stateOf(linked).trace, trace, `${scenario} ${seed}, from its link`);
    goTo(linked, 10);
    goTo(linked, Infinity);
    assert.equal(stateOf(linked).trace, trace, `${scenario} ${seed}, back and forth over clicks`);
  }
});

test("a click forgets what came after it, and can be taken back", () => {
  const run = open(settingOf("zoo-03", 1, {faults: "-all"}));
  goTo(run, Infinity);
  const {event} = run, {trace} = stateOf(run);
  const marks = run.marks.length;
  goTo(run, 80);
  run.click({kind: kindOf("harsh"), node: 0, other: 0, span_ns: 0});
  assert.equal(run.known, 80);
  assert.ok(run.marks.length < marks);
  assert.ok(run.marks.every(mark => mark.event <= 80));
  goTo(run, Infinity);
  assert.notEqual(stateOf(run).trace, trace);
  goTo(run, run.undo());
  assert.equal(run.event, 80);
  assert.equal(run.clicks.length, 0);
  goTo(run, Infinity);
  assert.equal(run.event, event);
  assert.equal(stateOf(run).trace, trace);
});

test("two clicks at one moment to which it has gone back can both be taken back", () => {
  const run = open(settingOf("zoo-03", 1, {faults: "-all"}));
  const harsh = {kind: kindOf("harsh"), node: 0, other: 0, span_ns: 0};
  goTo(run, 80);
  const before = run.engine.stateText();
  goTo(run, 120);
  run.keep();
  goTo(run, 80);
  run.click(harsh);
  const between = run.engine.stateText();
  run.click({...harsh, kind: kindOf("start")});
  goTo(run, run.undo());
  assert.equal(run.engine.stateText(), between);
  goTo(run, run.undo());
  assert.equal(run.engine.stateText(), before);
});

test("at a moment that has a click, it has befallen", () => {
  const run = open(settingOf("zoo-03", 1, {faults: "-all"}));
  const click = name => run.click({kind: kindOf(name), node: 0, other: 0, span_ns: 0});
  click("harsh");
  const clicked = run.engine.stateText();
  click("start");
  const twice = run.engine.stateText();
  goTo(run, 80);
  run.aim(0);
  assert.equal(run.engine.stateText(), twice);
  goTo(run, 80);
  run.undo();
  assert.equal(run.engine.stateText(), clicked);
  assert.equal(open(settingOf("zoo-03", 1, {faults: "-all"}), run.clicks).engine.stateText(), clicked);
});

test("snapshots of the server share what does not change: a hundred of them fit", () => {
  const run = open(settingOf("kv", 1), [], 192 << 20);
  for (let event = 200; !run.isOver; event += 200) {
    goTo(run, event);
    if (run.event > run.ring.last.event)
      run.keep();
  }
  assert.ok(run.ring.list.length >= 100, `${run.ring.list.length} snapshots of ${run.event} events`);
  assert.ok(run.ring.bytes < 96 << 20, `${run.ring.bytes} bytes`);
});

test("a program that stops itself is shown at its event, with its last words", () => {
  const stops = new WebAssembly.Module(readFileSync(STOPS));
  for (const [scenario, words] of [["asserts", /^stops_module\.c:\d+: .*rounds < ROUNDS/], ["leaks", /worker ended with operations in flight \(law 4\):\n {2}timer .*stops_module\.c:\d+/]]) {
    const run = open(settingOf(scenario, 1, {faults: "-all"}), [], 64 << 20, stops);
    goTo(run, Infinity);
    const {event} = run, state = stateOf(run);
    assert.deepEqual([state.verdict, state.over, state.events], ["stopped", true, event], state.message);
    assert.match(state.message, words);
    assert.ok(state.nodes[0].disk.files.some(({path, size}) => path === "/work" && size === 48), "it had done its work");
    assert.deepEqual(run.marks.filter(mark => mark.kind === "promise").length, 12, "and had promised the last of it");
    assert.match(`${run.marks.at(-1).kind}: ${run.marks.at(-1).text}`, /^verdict: .*stopped/);
    const tape = run.engine.tape();
    goTo(run, event - 1);
    assert.deepEqual([stateOf(run).verdict, run.isOver], [null, false]);
    goTo(run, event);
    assert.deepEqual(stateOf(run), state);
    const again = open(settingOf(scenario, 1, {faults: "-all", tape}), [], 64 << 20, stops);
    goTo(again, Infinity);
    assert.deepEqual([again.event, stateOf(again).trace, stateOf(again).message], [event, state.trace, state.message]);
  }
});

test("what cannot be done is said in a sentence", () => {
  const run = open(settingOf("zoo-03", 1, {faults: "-all"}));
  assert.throws(() => run.click({kind: 99, node: 0, other: 0, span_ns: 0}), EngineError);
  assert.throws(() => run.click({kind: kindOf("power"), node: 7, other: 0, span_ns: 0}), EngineError);
  assert.equal(run.clicks.length, 0);
  goTo(run, Infinity);
  assert.throws(() => run.click({kind: kindOf("power"), node: 0, other: 0, span_ns: 0}), /over/);
  assert.throws(() => run.open(settingOf("zoo-03", 1, {tape: new Uint8Array([1, 2, 3])})), EngineError);
  assert.throws(() => run.open(settingOf("nosuch", 1)), EngineError);
  assert.throws(() => run.open(settingOf("zoo-03", 1, {profile: "nosuch"})), EngineError);
});

/* The worker, in this thread, with a clock by which a slice is a few dozen events. */
test("the worker goes to a mark that nobody knows yet, and not to the end; a tape that something comes before is said to be none", async t => {
  const said = [], channels = [], {MessageChannel: Channel} = globalThis;
  const setting = settingOf("kv", 3, {faults: "-all"}), whole = open(setting);
  goTo(whole, Infinity);
  const first = whole.marks.find(mark => mark.event > 40).event;
  let ms = 0;
  t.mock.method(performance, "now", () => ms++);
  Object.assign(globalThis, {
    onmessage: null,
    postMessage: message => said.push(message),
    fetch: async () => new Response(readFileSync(MODULE)),
    MessageChannel: class extends Channel {
      constructor() {
        super();
        channels.push(this);
      }
    },
  });
  t.after(() => channels.forEach(channel => channel.port1.close()));
  await import("../../apps/web/worker.js");
  const tell = (order, more = {}) => globalThis.onmessage({data: {order, ...more}});
  const turn = () => new Promise(setImmediate);
  const last = () => said.findLast(message => message.say === "state");
  const rest = async event => {
    do {
      await turn();
      await tell("drawn");
    } while (last().going !== null || last().event !== event);
  };

  await tell("load", {url: ""});
  await tell("open", {setting, clicks: [], at: 0, play: false, number: 1});
  await tell("go", {event: 40});
  await rest(40);
  await tell("next");
  await rest(first);
  assert.equal(last().end, null, "it need not know the end");

  const tapes = () => said.filter(message => message.say === "tape").length;
  await tell("tape", {why: "save"});
  await tell("by", {events: -1});
  await rest(first - 1);
  const refused = said.filter(message => message.refused);
  assert.deepEqual([tapes(), refused.length], [0, 1]);
  assert.match(refused[0].refused, /tape was not saved/);

  await tell("tape", {why: "save"});
  await tell("tape", {why: "save"}); /* it is on its way */
  while (tapes() === 0)
    await turn();
  const {tape, state} = said.find(message => message.say === "tape");
  await rest(first - 1);
  assert.deepEqual([tapes(), last().refused], [1, ""]);
  assert.equal(state.trace, stateOf(whole).trace);

  /* What lies on the way back is not shown, unless it is a long one. */
  await tell("drawn");
  said.length = 0;
  await tell("by", {events: -1});
  await rest(first - 2);
  assert.deepEqual(said.map(message => message.event), [first - 2]);

  /* A tape on the way to somewhere: it goes on. */
  for (const [order, event, where] of [["go", 20, 20], ["next", undefined, first], ["go", Infinity, whole.end]]) {
    await tell("go", {event: 40});
    await rest(40);
    await tell(order, {event});
    await tell("tape", {why: String(where)});
    while (!said.some(message => message.why === String(where)))
      await turn();
    await rest(where);
  }
  await tell("label", {name: "a.tape", bytes: tape});
  assert.deepEqual(said.findLast(message => message.say === "label").label, {scenario: "kv", profile: "", faults: "-all", seed: "3"});
  await tell("label", {name: "b.tape", bytes: tape.subarray(1)});
  assert.match(said.findLast(message => message.say === "label").wrong, /no tape/);
});
