/* run.js - a run that can be moved through in both directions. It is what the engine makes of a
 * setting and of clicks {event, kind, node, other, span_ns}, each at the event after which it befalls
 * the world. Going back is a snapshot, and from there the same events and clicks again. */

import {EngineError} from "./engine.js";
import {Ring} from "./ring.js";

const SNAPSHOT_EVENTS = 200;
const SNAPSHOT_COST = 4; /* at most one part in so many of the time */
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
    try {
      engine.open(setting.scenario, setting.seed, setting);
    } catch (error) {
      throw isTrap(error) ? new EngineError(engine.said) : error;
    }
    this.engine = engine;
    this.setting = setting;
    this.clicks = clicks.slice().sort((a, b) => a.event - b.event);
    this.done = 0; /* clicks that have befallen */
    this.event = 0;
    this.known = 0; /* as far as this run has ever been */
    this.end = null; /* the event with which it was over; null: not known yet */
    this.stop = null; /* a snapshot of that moment, if the program has stopped itself in that event */
    this.refused = ""; /* why a click could not be done */
    this.marks = [];
    this.marksNext = 0;
    this.chunk = 16;
    this.ring.clear();
    this.keep();
    this.look();
    this.orStopped(() => this.doClicks());
  }

  get isOver() {
    return this.engine.over;
  }

  keep() {
    const before = performance.now();
    this.ring.add(this.here());
    this.keptAt = performance.now();
    this.keepCost = this.keptAt - before;
    this.keepAt = this.event + SNAPSHOT_EVENTS;
  }

  /* A snapshot of this moment. */
  here() {
    return {event: this.event, clicks: this.done, memory: this.engine.snapshot(this.ring.last?.memory)};
  }

  /* Snapshots are that many events apart, or further when they would take too much of the time. */
  keepIfDue() {
    if (this.event < this.keepAt)
      return;
    if (this.event > this.ring.last.event && performance.now() - this.keptAt >= SNAPSHOT_COST * this.keepCost)
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
        this.done += isTrap(error); /* it has befallen */
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
      if (this.end !== null && target >= this.end)
        target = Infinity; /* a verdict may take no event of its own */
      if (!this.isOver)
        this.orStopped(() => this.doClicks());
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
    if (this.stop !== null && this.event + events >= this.end) {
      this.resume(this.stop);
      return;
    }
    this.orStopped(() => {
      this.event += this.engine.step(events);
      if (this.engine.over)
        this.end = this.event;
      this.known = Math.max(this.known, this.event);
      this.look();
    });
  }

  /* Does something in which the program under test may stop itself. */
  orStopped(work) {
    try {
      work();
    } catch (error) {
      if (!isTrap(error))
        throw error;
      this.stopped(error);
    }
  }

  /* It has stopped itself, and the instance with it. The memory is as it was then, so that a copy of it, in
   * another instance, is that moment; unless it stopped with something half done that is looked at: then
   * it is the moment before. */
  stopped(error) {
    const words = this.engine.said || error.message;
    if (!this.isShown(words))
      this.showBefore(words);
    this.event = this.end = this.known = JSON.parse(this.engine.stateText()).events;
    this.stop = this.here();
    this.look();
  }

  isShown(words) {
    try {
      const memory = this.engine.snapshot();
      this.engine = this.make();
      this.engine.restore(memory);
      this.engine.stopped(words);
      this.engine.tape();
      return true;
    } catch (error) {
      if (!isTrap(error) && !(error instanceof EngineError))
        throw error;
      return false;
    }
  }

  /* Another instance goes there event by event, to learn which it was, and a third stays before. */
  showBefore(words) {
    const {done} = this;
    try {
      this.anew(this.event, done);
      while (!this.engine.over) /* else it stopped while it was looked at, which another instance does not */
        this.event += this.engine.step(1);
    } catch (error) {
      if (!isTrap(error))
        throw error;
    }
    this.anew(this.event, this.done);
    this.done = done;
    this.engine.stopped(words);
  }

  /* A new instance, at an event with as many clicks done as now. */
  anew(event, done) {
    this.engine = this.make();
    this.restore(event);
    while (this.event < event || this.done < done) {
      const click = this.done < done ? this.clicks[this.done].event : Infinity;
      if (click <= this.event) {
        this.engine.act(...actOf(this.clicks[this.done]));
        this.done++;
      } else {
        this.event += this.engine.step(Math.min(event, click) - this.event);
      }
    }
  }

  restore(event) {
    this.resume(this.ring.before(event));
  }

  /* To a moment of which here() has been told. */
  resume(snapshot) {
    this.engine.restore(snapshot.memory);
    this.event = snapshot.event;
    this.done = snapshot.clicks;
    this.keepAt = this.event + SNAPSHOT_EVENTS;
  }

  /* To the best place from which forward() gets to an event. The clicks of that place have befallen. */
  aim(event) {
    const snapshot = this.ring.before(event);
    if (event < this.event || snapshot.event > this.event) {
      this.restore(event);
      this.orStopped(() => this.doClicks());
    }
  }

  /* A click here and now. What was after it is no more. Throws an EngineError if it is refused. */
  click(act) {
    if (this.isOver)
      throw new EngineError("the run is over: go back to where there is something to break");
    const {next} = this.engine.marks(Number.MAX_SAFE_INTEGER);
    if (this.event > this.ring.last.event)
      this.keep(); /* to take it back is a restore then */
    let trap = null;
    try {
      this.engine.act(...actOf(act));
    } catch (error) {
      if (!isTrap(error))
        throw error;
      trap = error;
    }
    this.branch(next);
    this.clicks.push({...act, event: this.event});
    this.done++;
    if (trap !== null)
      this.stopped(trap);
    this.look();
  }

  /* The latest click is taken back, and all that came after it. The run is then at or before the event at which it was,
   * which is returned: forward() goes there. One of a link may lie where the run has never been: then there is nothing
   * to go to, and nothing to forget, and null is returned. */
  undo() {
    const click = this.clicks.pop();
    if (!click || click.event > this.known)
      return null;
    this.end = this.stop = null;
    this.ring.cut(click.event, this.clicks.length); /* another click may have followed it at the same event */
    this.restore(click.event);
    const clicks = this.clicks.slice(); /* some of them may lie between here and there */
    this.branch(this.engine.marks(Number.MAX_SAFE_INTEGER).next);
    this.clicks = clicks;
    this.orStopped(() => this.doClicks());
    return click.event;
  }

  /* A verdict may take no event of its own: if the next one is such, it is a part of this moment. */
  settle() {
    if (this.isOver)
      return;
    const here = this.here();
    this.step(1);
    if (this.event > here.event)
      this.resume(here);
  }

  /* Forgets what is after this moment, which had so many marks. */
  branch(next) {
    this.clicks.length = this.done;
    this.ring.cut(this.event, this.done);
    this.known = this.event;
    this.end = this.stop = null;
    this.marks = this.marks.filter(mark => mark.n < next);
    this.marksNext = Math.min(this.marksNext, next);
  }
}
