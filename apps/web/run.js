/* run.js - a run that can be moved through in both directions. It is what the engine makes of a
 * setting and of clicks {event, kind, node, other, span_ns}, each at the event after which it befalls
 * the world. Going back is a snapshot, and from there the same events and clicks again. */

import {EngineError} from "./engine.js";
import {Ring} from "./ring.js";

const SNAPSHOT_EVENTS = 200;
const SNAPSHOT_COST = 10; /* at most one part in so many of the time */
const CHUNK_MS = 1;
const CHUNK_MAX = 4096;
const MARKS_MAX = 4000;

const actOf = ({kind, node, other, span_ns}) => [kind, node, other, span_ns];
const isTrap = error => error instanceof WebAssembly.RuntimeError;

export class Run {
  /* `make` makes an engine. */
  constructor(make, bytesMax) {
    this.make = make;
    this.ring = new Ring(bytesMax);
    this.engine = make();
  }

  /* Begins. `clicks` are those of a link. Throws, and is as it was, if there is no such run. */
  open(setting, clicks = []) {
    const engine = this.make();
    engine.open(setting.scenario, setting.seed, setting);
    this.engine = engine;
    this.setting = setting;
    this.clicks = clicks.slice().sort((a, b) => a.event - b.event);
    this.done = 0; /* clicks that have befallen */
    this.event = 0;
    this.known = 0; /* as far as this run has ever been */
    this.end = null; /* the event with which it was over; null: not known yet */
    this.trap = null; /* what the program said when it stopped itself */
    this.trapTape = null; /* with what was drawn in the event that stopped it */
    this.refused = ""; /* why a click could not be done */
    this.marks = [];
    this.marksNext = 0;
    this.chunk = 16;
    this.ring.clear();
    this.keep();
    this.look();
  }

  get isOver() {
    return this.end !== null && this.event >= this.end;
  }

  keep() {
    const before = performance.now();
    this.ring.add({event: this.event, clicks: this.done, bytes: this.engine.snapshot()});
    this.keptAt = performance.now();
    this.keepCost = this.keptAt - before;
    this.keepAt = this.event + SNAPSHOT_EVENTS;
  }

  /* Snapshots are that many events apart, or further when they would take too much of the time. */
  keepIfDue() {
    if (this.event < this.keepAt)
      return;
    if (performance.now() - this.keptAt >= SNAPSHOT_COST * this.keepCost)
      this.keep();
    else
      this.keepAt = this.event + SNAPSHOT_EVENTS;
  }

  /* What the time line shows, as far as it is new. */
  look() {
    for (;;) {
      const {next, facts} = this.engine.marks(this.marksNext);
      if (next <= this.marksNext)
        return;
      for (const mark of facts) {
        /* After the verdict the run is taken down, which nobody need see. */
        if (this.marks[this.marks.length - 1]?.kind !== "verdict")
          this.marks.push(mark);
      }
      this.marksNext = next;
      if (this.marks.length > MARKS_MAX)
        this.marks.splice(MARKS_MAX / 2, this.marks.length - MARKS_MAX);
    }
  }

  /* The clicks at this event. One that is refused (its node is down, say) is dropped. */
  doClicks() {
    while (this.done < this.clicks.length && this.clicks[this.done].event <= this.event) {
      try {
        this.engine.act(...actOf(this.clicks[this.done]));
        this.done++;
      } catch (error) {
        if (!(error instanceof EngineError))
          throw error;
        this.refused = error.message;
        this.clicks.splice(this.done, 1);
      }
    }
  }

  /* Forward to an event, to the end, or until a time of performance.now(). True: it is there. */
  forward(target, until) {
    for (;;) {
      if (!this.isOver)
        this.doClicks();
      if (this.isOver || this.event >= target)
        return true;
      const before = performance.now();
      if (before >= until)
        return false;
      const click = this.done < this.clicks.length ? this.clicks[this.done].event : Infinity;
      const events = Math.min(this.chunk, target - this.event, click - this.event, this.keepAt - this.event);
      this.step(events);
      const spent = performance.now() - before;
      if (spent > 2 * CHUNK_MS)
        this.chunk = Math.max(1, this.chunk >> 1);
      else if (spent < CHUNK_MS / 2 && events === this.chunk)
        this.chunk = Math.min(CHUNK_MAX, this.chunk * 2);
      if (!this.isOver)
        this.keepIfDue();
    }
  }

  step(events) {
    try {
      this.event += this.engine.step(events);
    } catch (error) {
      if (!isTrap(error))
        throw error;
      this.stopped(this.engine.said || error.message);
      return;
    }
    this.known = Math.max(this.known, this.event);
    if (this.engine.over)
      this.end = this.event;
    this.look();
  }

  /* The program under test has stopped itself, and the instance with it. Another one goes there event by
   * event, to learn which it was, and a third stays at the event before. */
  stopped(message) {
    this.anew(this.event);
    try {
      for (;;)
        this.event += this.engine.step(1);
    } catch (error) {
      if (!isTrap(error))
        throw error;
    }
    try {
      this.trapTape = this.engine.tape();
    } catch {
      this.trapTape = null; /* it has no stack left to say it with */
    }
    this.anew(this.event);
    this.trap = message;
    this.end = this.event;
    this.known = Math.max(this.known, this.event);
    this.look();
  }

  /* A new instance, at an event with as many clicks done as now. */
  anew(event) {
    const done = this.done;
    this.engine = this.make();
    this.restore(event);
    while (this.event < event || this.done < done) {
      const click = this.done < done ? this.clicks[this.done].event : Infinity;
      if (click <= this.event)
        this.engine.act(...actOf(this.clicks[this.done++]));
      else
        this.event += this.engine.step(Math.min(event, click) - this.event);
    }
  }

  restore(event) {
    const snapshot = this.ring.before(event);
    this.engine.restore(snapshot.bytes);
    this.event = snapshot.event;
    this.done = snapshot.clicks;
    this.keepAt = this.event + SNAPSHOT_EVENTS;
  }

  /* To the best place from which forward() gets to an event. */
  aim(event) {
    const snapshot = this.ring.before(event);
    if (event < this.event || snapshot.event > this.event)
      this.restore(event);
  }

  /* A click here and now. What was after it is no more. Throws an EngineError if it is refused. */
  click(act) {
    if (this.isOver)
      throw new EngineError("the run is over: go back to where there is something to break");
    const {next} = this.engine.marks(Number.MAX_SAFE_INTEGER);
    this.engine.act(...actOf(act));
    this.branch(next);
    this.clicks.push({...act, event: this.event});
    this.done++;
    this.look();
  }

  /* The latest click is taken back; the run is where it was. A snapshot at that event is older than it. */
  undo() {
    const click = this.clicks.pop();
    if (!click)
      return;
    this.end = null;
    this.restore(click.event);
    this.forward(click.event, Infinity);
    this.branch(this.engine.marks(Number.MAX_SAFE_INTEGER).next);
  }

  /* Forgets what is after this moment, which had so many marks. */
  branch(next) {
    this.clicks.length = this.done;
    this.ring.cut(this.event, this.done);
    this.known = this.event;
    this.end = null;
    this.trap = null;
    this.marks = this.marks.filter(mark => mark.n < next);
    this.marksNext = Math.min(this.marksNext, next);
  }
}
