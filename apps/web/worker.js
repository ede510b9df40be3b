/* worker.js - where the simulator runs, beside the page. It works in slices of a few milliseconds, so
 * that a message is never late, and tells the page how things are at most once for each time that the
 * page has drawn. */

import {Engine, EngineError} from "./engine.js";
import {Run} from "./run.js";

const SLICE_MS = 7;
const RING_BYTES = 192 << 20;
const QUIET_MS = 100; /* what it passes on the way is shown if the way takes longer */
const FACTS_FIRST = 80; /* that the page gets when it has come from elsewhere */
const FACTS_MORE = 240; /* more than these, and it is elsewhere */

let run = null;
let playing = false;
let rate = 8; /* events a second; Infinity: as fast as it goes */
let target = null; /* an event to go to, or null */
let errand = null; /* a tape is made when it is there: for whom, whether it was playing, a snapshot of where it was, which
                    * is what the page shows, and where it was going */
let quietUntil = 0; /* of performance.now() */
let settles = false; /* it is on its way to a moment of a link, which may be that of the verdict */
let markAfter = null; /* it goes to the first mark after this event, which nobody knows yet */
let owed = 0; /* events that playing is behind */
let paidAt = 0;
let tellable = true; /* the page has drawn what it was told last */
let changed = false;
let opened = 0; /* which of the runs that the page has asked for this is */
let generation = 0;
let factsTold = 0;
let marksTold = null;
let sleeping = 0; /* a timer, or 0 */
let stepping = false; /* a slice is about to come */

const channel = new MessageChannel();
channel.port1.onmessage = slice;

function wake() {
  clearTimeout(sleeping);
  sleeping = 0;
  if (!stepping) {
    stepping = true;
    channel.port2.postMessage(0);
  }
}

function slice() {
  const now = performance.now();
  stepping = false;
  if (run === null)
    return;
  try {
    if (target !== null)
      goOn(now + SLICE_MS);
    else if (playing)
      play(now);
  } catch (error) {
    playing = false;
    halt();
    postMessage({say: "error", text: String(error.message || error)});
  }
  tell();
}

/* The mark that is looked for is there: to it, which is behind by a part of a slice. */
function findMark() {
  const mark = markAfter === null ? undefined : run.marks.find(each => each.event > markAfter);
  if (mark)
    orders.go({event: mark.event});
  return mark !== undefined;
}

function goOn(until) {
  const isThere = run.forward(target, until);
  changed = true;
  if (findMark() || !isThere) {
    wake();
    return;
  }
  if (settles)
    run.settle();
  target = null;
  settles = false;
  if (errand !== null)
    deliver();
  paidAt = performance.now();
  if (playing || target !== null)
    wake();
}

function play(now) {
  const earned = rate === Infinity ? 1 : (now - paidAt) * rate / 1000; /* no time, however fast, is no number */
  owed = Math.min(owed + earned, Math.max(1, rate / 20));
  paidAt = now;
  if (owed >= 1) {
    const before = run.event;
    run.forward(rate === Infinity ? Infinity : before + Math.floor(owed), now + SLICE_MS);
    owed = rate === Infinity ? 1 : owed - (run.event - before);
    changed = true;
  }
  if (run.isOver)
    playing = false;
  else if (owed >= 1)
    wake();
  else
    sleeping = setTimeout(wake, Math.max(1, (1 - owed) * 1000 / rate));
}

/* ------------------------------------------------------------------ what the page is told */

function newFacts() {
  const next = run.engine.facts(Number.MAX_SAFE_INTEGER).next;
  const isElsewhere = next < factsTold || next > factsTold + FACTS_MORE;
  const facts = [];
  let from = isElsewhere ? Math.max(0, next - FACTS_FIRST) : factsTold;

  while (from < next) {
    const some = run.engine.facts(from);
    facts.push(...some.facts);
    if (some.next <= from)
      break;
    from = some.next;
  }
  factsTold = next;
  return {facts, isElsewhere};
}

function tell() {
  if (!changed || !tellable || errand !== null || (target !== null && performance.now() < quietUntil))
    return;
  changed = tellable = false;
  const marks = generation + "/" + run.marksNext + "/" + run.marks.length;
  postMessage({
    say: "state",
    opened,
    generation,
    event: run.event,
    known: run.known,
    end: run.end,
    clicks: run.clicks,
    canUndo: run.clicks.length > 0,
    playing,
    going: target,
    refused: run.refused,
    state: run.engine.stateText(),
    marks: marks === marksTold ? null : run.marks,
    ...newFacts(),
  });
  marksTold = marks;
  run.refused = "";
}

/* ------------------------------------------------------------------ what the page asks for */

/* What happens from here on is not what happened before: numbers of facts count anew. */
function branched() {
  generation++;
  factsTold = Number.MAX_SAFE_INTEGER;
}

/* It goes nowhere any more. */
function halt() {
  if (errand !== null && errand.why === "save")
    run.refused = "the tape was not saved: something else came before the end of the run";
  target = errand = null;
  settles = false;
}

/* It is where it was before its errand, and goes to where it was going. */
function resume({from, way}) {
  run.resume(from);
  ({target, settles, markAfter} = way);
}

/* Whoever acts while it is away acts on what he sees: it is there again first. */
function comeBack() {
  if (errand === null)
    return;
  const before = errand;
  halt();
  resume(before);
}

function sendTape(why) {
  postMessage({say: "tape", why, tape: run.engine.tape(), state: run.engine.state()});
}

/* The errand is done, and it goes back. */
function deliver() {
  const {why, wasPlaying} = errand, before = errand;
  errand = null;
  sendTape(why);
  resume(before);
  playing = wasPlaying && !run.isOver;
}

const orders = {
  async load({url}) {
    const response = await fetch(url);
    if (!response.ok)
      throw new Error(`${url}: ${response.status} ${response.statusText}`);
    const module = await WebAssembly.compile(await response.arrayBuffer());
    run = new Run(() => new Engine(module), RING_BYTES);
    postMessage({say: "list", list: run.engine.list(), module});
    run.isOpen = false;
  },

  /* Of a tape that may be opened; the run that is there does not see it. */
  label({name, bytes}) {
    let label = null, wrong = "";
    try {
      label = run.make().label(bytes);
    } catch (error) {
      wrong = error.message;
    }
    postMessage({say: "label", name, bytes, label, wrong});
  },

  open({setting, clicks, at, play: begins, number}) {
    run.open(setting, clicks);
    halt();
    opened = number;
    run.isOpen = true;
    branched();
    markAfter = null;
    playing = begins;
    target = at > 0 ? at : null;
    quietUntil = performance.now() + QUIET_MS;
    settles = at > 0;
  },

  play({on}) {
    comeBack();
    halt();
    markAfter = null;
    playing = on && !run.isOver;
    owed = 1;
    paidAt = performance.now();
  },

  rate({events}) {
    rate = events;
    owed = 0;
    paidAt = performance.now();
  },

  /* To an event; Infinity is the end. */
  go({event, thenPlay = false}) {
    if (target === null)
      quietUntil = performance.now() + QUIET_MS;
    halt();
    markAfter = null;
    playing = thenPlay;
    target = Math.max(0, event);
    run.aim(Math.min(target, run.known));
  },

  /* So many events from here, or from where it is going: keys may come faster than they are done. */
  by({events}) {
    comeBack();
    orders.go({event: (Number.isFinite(target) && target !== null ? target : run.event) + events});
  },

  /* To the next thing on the time line. */
  next() {
    comeBack();
    playing = false;
    const mark = run.marks.find(each => each.event > run.event);
    if (mark)
      orders.go({event: mark.event});
    else {
      const {event} = run;
      orders.go({event: Infinity});
      markAfter = event;
    }
  },

  act({act}) {
    comeBack();
    markAfter = null;
    try {
      run.click(act);
    } catch (error) {
      if (!(error instanceof EngineError))
        throw error;
      run.refused = error.message;
    }
    branched();
    halt();
  },

  undo() {
    comeBack();
    halt();
    markAfter = null;
    playing = false;
    const event = run.undo();
    branched();
    if (event !== null)
      orders.go({event});
  },

  /* The tape of the whole run: at its end at once, so that no key comes between; else it goes there, and back. */
  tape({why}) {
    if (errand !== null && errand.why === why)
      return;
    comeBack();
    if (run.isOver) {
      sendTape(why);
      return;
    }
    errand = {why, wasPlaying: playing, from: run.here(), way: {target, settles, markAfter}};
    playing = settles = false;
    markAfter = null;
    target = Infinity;
    run.aim(run.known);
  },

  drawn() {
    tellable = true;
  },
};

onmessage = async ({data}) => {
  try {
    await orders[data.order](data);
  } catch (error) {
    postMessage({say: "error", text: String(error.message || error)});
    return;
  }
  if (run === null || !run.isOpen)
    return;
  if (data.order !== "drawn")
    changed = true;
  tell();
  if (playing || target !== null)
    wake();
};
