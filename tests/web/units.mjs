/* units.mjs: the parts of the playground that need neither a browser nor the simulator. */

import assert from "node:assert";
import {spawn, spawnSync} from "node:child_process";
import {once} from "node:events";
import {mkdtempSync, rmSync, writeFileSync} from "node:fs";
import {connect} from "node:net";
import {tmpdir} from "node:os";
import {join} from "node:path";
import test from "node:test";
import {fileURLToPath} from "node:url";

import {Run} from "../../apps/web/run.js";
import {Kept} from "../../apps/web/kept.js";
import {Ring} from "../../apps/web/ring.js";
import {linkOf, readClicks, readLink, readSeed} from "../../apps/web/link.js";
import {timeText} from "../../apps/web/dom.js";
import {Why} from "../../apps/web/why.js";

const LIST = {
  scenarios: [{name: "kv"}, {name: "zoo-03"}],
  profiles: [{name: "paranoid"}, {name: "ext4"}],
  acts: [{kind: 1, name: "power"}, {kind: 6, name: "part", links: true}],
};
const USUAL = {scenario: "zoo-03", seed: "1", profile: "", faults: "", clicks: [], at: 0};

const page = bytes => new Uint8Array(bytes);
const snapshotAt = (event, clicks = 0, pages = [page(100)]) => ({event, clicks, memory: {pages}});

function filled(count, each, bytesMax) {
  const ring = new Ring(bytesMax);
  for (let event = 0; event < count; event++)
    ring.add(snapshotAt(event * each));
  return ring;
}

/* As the storage of a tab. */
function storageOf(charactersMax) {
  const items = new Map();
  return {getItem: name => items.get(name) ?? null, setItem: (name, text) => {
    if (text.length > charactersMax)
      throw new Error("the quota is exceeded");
    items.set(name, text);
  }};
}

const tapeOf = (name, bytes) => ({setting: USUAL, tape: {name, bytes, seed: ""}, clicks: [], at: 7});
const large = (count, byte) => new Uint8Array(count << 20).fill(byte);

test("what is kept is there for the next page, the latest of it if not all fits, and nothing where there is no storage", () => {
  const storage = storageOf(5e6), kept = new Kept(() => storage, 1), every = Uint8Array.from({length: 100000}, (_, i) => i);
  const old = kept.keep(tapeOf("old", large(1, 1))), first = kept.keep(tapeOf("first", every)), second = kept.keep(tapeOf("second", large(2, 2)));
  const clicked = kept.keep({...tapeOf("", every), tape: null, clicks: [{event: 3}]});
  assert.equal(kept.keep({...tapeOf("first", every), at: 9}, first), first, "in place of what it was");
  kept.store();
  const next = new Kept(() => storage, 2);
  assert.deepEqual(next.find(first), {...tapeOf("first", every), at: 9});
  assert.deepEqual(next.find(clicked), {...tapeOf("", every), tape: null, clicks: [{event: 3}]});
  assert.deepEqual(next.find(second), kept.find(second));
  assert.equal(next.find(old), undefined);
  assert.equal(next.find(next.keep(tapeOf("own", every))).tape.name, "own");
  assert.deepEqual(next.find(first).tape.name, "first", "keys of two pages differ");

  for (const none of [() => { throw new Error("forbidden"); }, () => storageOf(10), () => ({getItem: () => "no JSON", setItem() {}})]) {
    const here = new Kept(none, 3), key = here.keep(tapeOf("here", every));
    here.store();
    assert.equal(here.find(key).tape.name, "here");
  }
});

/* Workers that do nothing by themselves, in the order in which they were started. */
async function whyOf(t) {
  const workers = [], told = [], timer = {now: 0, work: null};
  t.mock.method(globalThis, "setTimeout", (work, ms) => Object.assign(timer, {work, at: timer.now + ms}));
  t.mock.method(globalThis, "clearTimeout", () => { timer.work = null; });
  const wait = ms => {
    timer.now += ms;
    if (timer.work && timer.now >= timer.at)
      timer.work();
  };
  t.mock.method(globalThis, "fetch", async () => new Response(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)));
  globalThis.Worker = class {
    given = [];
    isGone = false;
    constructor() { workers.push(this); }
    postMessage({setting}) { this.given.push(setting); }
    terminate() { this.isGone = true; }
    say(data) { this.onmessage({data}); }
    fail() { this.onerror({}); }
  };
  const why = new Why("sim", "why.wasm");
  workers[0].say({isReady: true});
  return {workers, told, why, wait, ask: name => why.ask(name, found => told.push([name, found.error || found.explanation]))};
}

test("who is at what nobody wants any more goes when another one is there; if none can be had it is waited for", async t => {
  const {workers, told, why, ask} = await whyOf(t);
  ask("one");
  why.forget();
  assert.equal(workers.length, 2);
  ask("two");
  assert.deepEqual([workers[0].given, workers[1].given], [["one"], []], "not before it is there");
  workers[1].say({isReady: true});
  assert.deepEqual([workers[0].isGone, workers[1].given], [true, ["two"]]);
  why.forget();
  ask("three");
  workers[2].fail();
  workers[1].say({explanation: "of two"});
  assert.deepEqual(told, [], "that is of no use");
  workers[1].say({isDone: true, explanation: "of two"});
  workers[1].say({isDone: true, explanation: "of three"});
  assert.deepEqual([workers[1].given, told], [["two", "three"], [["three", "of three"]]]);
  ask("four");
  assert.deepEqual([workers.length, workers[1].given.at(-1)], [3, "four"], "it is used again");
});

test("who is not heard of for 30 s is given up, and another one is started for what comes next", async t => {
  const {workers, told, wait, ask} = await whyOf(t);
  ask("one");
  wait(29000);
  workers[0].say({explanation: "some"});
  wait(29000);
  assert.equal(workers[0].isGone, false);
  wait(1000);
  assert.equal(workers[0].isGone, true);
  assert.match(told.at(-1)[1], /for 30 seconds nothing was heard of a trial/);
  ask("two");
  wait(30000);
  assert.deepEqual([workers.length, workers[1].isGone], [2, false], "it may yet come");
  assert.match(told.at(-1)[1], /has not been loaded/);
  ask("three");
  workers[1].say({isReady: true});
  assert.deepEqual(workers[1].given, ["three"]);
  workers[1].fail();
  assert.match(told.at(-1)[1], /could not be loaded/);
});

test("of tapes 64 MiB are kept", () => {
  const kept = new Kept(() => storageOf(0), 1), keys = Array.from({length: 9}, (_, i) => kept.keep(tapeOf(String(i), large(8, i))));
  assert.deepEqual(keys.map(key => kept.find(key)?.tape.name), [undefined, "1", "2", "3", "4", "5", "6", "7", "8"]);
});

test("a ring keeps within its bytes, and keeps the first and the last", () => {
  const ring = filled(1000, 10, 3000);
  assert.ok(ring.bytes <= 3000);
  assert.equal(ring.bytes, ring.list.length * 100);
  assert.equal(ring.list[0].event, 0);
  assert.equal(ring.list.at(-1).event, 9990);
});

test("a ring is thinner the further back it is", () => {
  const {list} = filled(4000, 1, 4000);
  const gap = (from, to) => Math.max(...list.slice(1).map((snapshot, i) =>
    snapshot.event > from && snapshot.event <= to ? snapshot.event - list[i].event : 0));
  assert.ok(gap(3900, 4000) < gap(3000, 3500), "near the present it is denser");
  assert.ok(gap(3000, 3500) < gap(0, 2500), "than long ago");
  for (let i = 1; i < list.length; i++)
    assert.ok(list[i].event - list[i - 1].event <= 0.5 * (4000 - list[i - 1].event), "no gap is large for its age");
});

test("a ring finds the latest before an event, and forgets what is after one", () => {
  const ring = filled(10, 10, 1 << 20);
  assert.equal(ring.before(35).event, 30);
  assert.equal(ring.before(30).event, 30);
  ring.cut(30, 0);
  assert.equal(ring.list.at(-1).event, 30);
  assert.equal(ring.bytes, 400);
  ring.add(snapshotAt(40, 2));
  ring.cut(40, 1);
  assert.equal(ring.list.at(-1).event, 30, "a snapshot with a click that is taken back goes with it");
});

test("a ring counts what snapshots share once, as long as one of them is there", () => {
  const ring = new Ring(1000), all = page(500), some = page(100);
  ring.add(snapshotAt(0, 0, [all]));
  ring.add(snapshotAt(10, 0, [all, some]));
  ring.add(snapshotAt(20, 0, [all, some, page(50)]));
  assert.equal(ring.bytes, 650);
  ring.cut(15, 0);
  assert.equal(ring.bytes, 600);
  for (let event = 20; event < 200; event += 10)
    ring.add(snapshotAt(event, 0, [all, page(100)]));
  assert.ok(ring.bytes <= 1000 && ring.list.length >= 4, `${ring.bytes} bytes, ${ring.list.length} snapshots`);
  ring.cut(-1, 0);
  assert.deepEqual([ring.bytes, ring.list.length, ring.users.size], [0, 0, 0]);
});

/* An engine whose snapshots take long beside its events, so that they are far apart. */
class Slow {
  constructor(clock) {
    this.clock = clock;
    this.said = "";
  }

  open() { this.state = {events: 0}; }
  get over() { return this.state.events >= 6000; }
  restore({state}) { this.state = {...state}; }
  stateText() { return JSON.stringify(this.state); }
  marks() { return {next: 0, facts: []}; }

  snapshot() {
    this.clock.ms += 4;
    return {pages: [page(10)], state: {...this.state}};
  }

  step(events) {
    const count = Math.min(events, 6000 - this.state.events);
    this.clock.ms += count * 0.02 + 0.01;
    this.state.events += count;
    return count;
  }
}

test("any moment is reached again, however far apart the snapshots are", t => {
  const clock = {ms: 0};
  t.mock.method(performance, "now", () => clock.ms);
  const run = new Run(() => new Slow(clock), 1 << 20);
  run.open({});
  run.forward(Infinity, Infinity);
  const {list} = run.ring;
  assert.ok(list.some(({event}, i) => i > 0 && i < list.length - 1 && event - list[i - 1].event > 400), "they are far apart");
  for (let event = 5999; event >= 0; event -= 250) {
    run.aim(event);
    for (let turns = 0; !run.forward(event, clock.ms + 7); turns++)
      assert.ok(turns < 100, `event ${event} is never reached, it stays at ${run.event}`);
    assert.equal(run.event, event);
    clock.ms += 1000;
  }
});

test("a click of a link that is still far away is taken back without going there", t => {
  const clock = {ms: 0};
  t.mock.method(performance, "now", () => clock.ms);
  const run = new Run(() => new Slow(clock), 1 << 20);
  run.open({}, [{event: 5000, kind: 1, node: 0, other: 0, span_ns: 0}]);
  run.forward(50, Infinity);
  const before = clock.ms;
  assert.equal(run.undo(), null);
  assert.deepEqual([run.event, run.known, run.clicks.length, clock.ms], [50, 50, 0, before]);
  run.forward(Infinity, Infinity); /* a Slow one has no acts: it would throw */
  assert.deepEqual([run.event, run.isOver], [6000, true]);
});

test("a click that is far from any snapshot is taken back at once, and its moment is gone to in slices", t => {
  const clock = {ms: 0}, acts = [];
  t.mock.method(performance, "now", () => clock.ms);
  const run = new Run(() => Object.assign(new Slow(clock), {act: kind => acts.push(kind)}), 20);
  run.open({}, [{event: 3000, kind: 1, node: 0, other: 0, span_ns: 0}, {event: 5000, kind: 2, node: 0, other: 0, span_ns: 0}]);
  run.forward(5500, Infinity);
  assert.deepEqual([acts, run.ring.list.length], [[1, 2], 2]);
  run.ring.cut(0, 0);
  const before = clock.ms;
  assert.equal(run.undo(), 5000);
  assert.deepEqual([run.event, run.known, run.clicks.length, clock.ms], [0, 0, 1, before]);
  let slices = 1;
  while (!run.forward(5000, clock.ms + 7))
    slices++;
  assert.deepEqual([run.event, acts, slices > 10], [5000, [1, 2, 1], true], `${slices} slices`);
});

test("a link comes back as it was written", () => {
  const clicks = [{event: 12, kind: 1, node: 0, other: 0, span_ns: 0}, {event: 40, kind: 6, node: 0, other: 2, span_ns: 5000}];
  const setting = {scenario: "kv", seed: "18446744073709551615", profile: "ext4", faults: "-all,+power"};
  const hash = linkOf(setting, clicks, 99, LIST.acts);
  assert.equal(hash, "#scenario=kv&seed=18446744073709551615&profile=ext4&faults=-all,+power&clicks=12.power.0,40.part.0-2.5000&at=99");
  const read = readLink(hash, LIST, USUAL);
  assert.deepEqual(read.setting, setting);
  assert.deepEqual(read.clicks, clicks);
  assert.equal(read.at, 99);
  assert.deepEqual(read.wrong, []);
});

test("a link that is wrong is said to be, and what is right of it counts", () => {
  const read = readLink("#scenario=nosuch&seed=42&profile=%3Cscript%3E&clicks=1.explode.0&at=-1&faults=%22", LIST, USUAL);
  assert.deepEqual(read.setting, {scenario: "zoo-03", seed: "42", profile: "", faults: ""});
  assert.deepEqual(read.wrong.sort(), ["at", "clicks", "faults", "profile", "scenario"]);
  assert.deepEqual(read.clicks, []);
  assert.equal(read.at, 0);
  for (const [hash, wrong] of [["#%%%", ["%%%"]], ["#acts=zzz&seed=2", ["acts"]], ["#" + "x".repeat(99), ["x".repeat(20) + "\u2026"]], ["#", []], ["", []]])
    assert.deepEqual(readLink(hash, LIST, USUAL).wrong, wrong, hash);
});

test("clicks and seeds are checked", () => {
  for (const text of ["1.power", "x.power.0", "1.power.0.y", "99999999999999999999.power.0", "1.power.0-", "1.power.0;", "1.power.4294967296"])
    assert.equal(readClicks(text, LIST.acts), null, text);
  assert.deepEqual(readClicks("", LIST.acts), []);
  for (const text of ["", "-1", "1.5", "18446744073709551616", "0x10"])
    assert.equal(readSeed(text), null, text);
  assert.equal(readSeed("007"), "7");
  assert.equal(readSeed("18446744073709551615"), "18446744073709551615");
});

test("times are for people", () => {
  assert.equal(timeText(0), "0");
  assert.equal(timeText(950), "950 ns");
  assert.equal(timeText(12345678), "12.35 ms");
  assert.equal(timeText(90e9), "90.0 s");
});

/* A program that stops itself in the step after event 730, or in an act of kind 9, as an engine; it counts, and
 * adds up its acts. `isTorn`: with something half done, so that the moment cannot be looked at. */
class Stopping {
  constructor(isTorn) {
    this.isTorn = isTorn;
    this.isDead = false;
    this.said = "";
  }

  open() { this.state = {events: 0, sum: 0, said: null}; }
  get over() { return this.state.said !== null; }
  snapshot() { return {pages: [page(10)], state: {...this.state}}; }
  restore({state}) { this.state = {...state}; }
  stateText() { return JSON.stringify(this.state); }
  marks() { return {next: 0, facts: []}; }
  tape() { return this.state; }

  stopped(words) {
    if (this.state.isTorn)
      this.trap();
    this.state.said = words;
    this.state.events++;
  }

  trap() {
    this.isDead = true;
    this.said = "an assertion";
    this.state.isTorn = this.isTorn;
    this.state.isInside = true;
    throw new WebAssembly.RuntimeError("unreachable");
  }

  act(kind) {
    assert.ok(!this.isDead, "nobody asks a dead instance");
    if (kind === 9)
      this.trap();
    this.state.sum += kind * this.state.events;
  }

  step(events) {
    assert.ok(!this.isDead, "nobody asks a dead instance");
    for (let i = 0; i < events; i++) {
      if (this.state.events === 730)
        this.trap();
      this.state.events++;
      this.state.sum = (this.state.sum * 31 + this.state.events) % 65521;
    }
    return events;
  }
}

for (const isTorn of [false, true]) {
  const which = isTorn ? "the moment before, if that cannot be looked at" : "that moment";

  test(`a program that stops itself is shown at its event, with what it said: ${which}`, () => {
    const run = new Run(() => new Stopping(isTorn), 1 << 20);
    const clicks = [{event: 100, kind: 3, node: 0, other: 0, span_ns: 0}, {event: 700, kind: 5, node: 0, other: 0, span_ns: 0}];
    run.open({}, clicks);
    assert.ok(run.forward(730, Infinity));
    assert.equal(run.isOver, false);
    const before = run.engine.state, there = run.engine.stateText();
    assert.ok(run.forward(Infinity, Infinity));
    assert.deepEqual([run.event, run.end, run.isOver, run.clicks.length, run.done], [731, 731, true, 2, 2]);
    const {said, sum, isInside = false} = run.engine.state;
    assert.deepEqual([said, sum, isInside], ["an assertion", before.sum, !isTorn]);
    const end = run.engine.stateText();
    run.aim(730);
    run.forward(730, Infinity);
    assert.equal(run.engine.stateText(), there);
    assert.equal(run.isOver, false);
    run.forward(Infinity, Infinity);
    assert.equal(run.engine.stateText(), end);
    run.forward(run.undo(), Infinity);
    assert.deepEqual([run.event, run.end, run.stop], [700, null, null]);
    assert.notEqual(run.engine.stateText(), there);
  });

  test(`a click after which it stops itself stays, and is taken back: ${which}`, () => {
    const run = new Run(() => new Stopping(isTorn), 1 << 20);
    run.open({});
    run.forward(50, Infinity);
    const before = run.engine.stateText(), click = {event: 50, kind: 9, node: 0, other: 0, span_ns: 0};
    run.click(click);
    assert.deepEqual([run.event, run.end, run.clicks.length, run.done, run.engine.state.said], [51, 51, 1, 1, "an assertion"]);
    run.aim(20);
    run.forward(Infinity, Infinity);
    assert.deepEqual([run.event, run.done, run.engine.state.said], [51, 1, "an assertion"]);
    run.forward(run.undo(), Infinity);
    assert.equal(run.engine.stateText(), before);
    assert.deepEqual([run.event, run.end, run.clicks.length], [50, null, 0]);
    const linked = new Run(() => new Stopping(isTorn), 1 << 20);
    linked.open({}, [click]);
    linked.forward(Infinity, Infinity);
    assert.deepEqual([linked.event, linked.done, linked.engine.state.said], [51, 1, "an assertion"]);
  });
}

test("whoever leaves while something is loading is no error of the server's", {skip: spawnSync("python3", ["-V"]).error}, async t => {
  const folder = mkdtempSync(join(tmpdir(), "tempest-serve-"));
  t.after(() => rmSync(folder, {recursive: true}));
  writeFileSync(join(folder, "large"), Buffer.alloc(16 << 20));
  const server = spawn("python3", [fileURLToPath(new URL("../../apps/web/serve.py", import.meta.url)), folder, "--port", "0"]);
  let complaints = "";
  server.stderr.on("data", data => { complaints += data; });
  const [address] = await once(server.stdout, "data");
  for (let i = 0; i < 3; i++) {
    const socket = connect(Number(new URL(String(address).trim()).port), "127.0.0.1");
    await once(socket, "connect");
    socket.write("GET /large HTTP/1.0\r\n\r\n");
    await once(socket, "data");
    socket.resetAndDestroy();
    await once(socket, "close");
  }
  assert.ok((await fetch(String(address).trim())).ok);
  server.kill("SIGINT"); /* its threads come to their end first */
  await once(server, "close");
  assert.equal(complaints, "");
});
