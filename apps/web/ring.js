/* ring.js - snapshots of a run in a bounded number of bytes: dense near the present, thinner and
 * thinner towards the beginning. Any moment is the nearest snapshot before it, and the events since. */

export class Ring {
  constructor(bytesMax) {
    this.bytesMax = bytesMax;
    this.clear();
  }

  clear() {
    this.list = [];
    this.bytes = 0;
  }

  /* A snapshot is {event, clicks, bytes}: after how many events, with how many clicks done. */
  add(snapshot) {
    const last = this.list[this.list.length - 1];
    if (last && last.event >= snapshot.event)
      return;
    this.list.push(snapshot);
    this.bytes += snapshot.bytes.length;
    while (this.bytes > this.bytesMax && this.list.length > 2)
      this.thin();
  }

  /* Takes out the one whose absence is felt least: the gap that it would leave, in proportion to how
   * long ago it was. The first and the last stay. */
  thin() {
    const now = this.list[this.list.length - 1].event;
    let best = 1, least = Infinity;
    for (let i = 1; i < this.list.length - 1; i++) {
      const cost = (this.list[i + 1].event - this.list[i - 1].event) / (now - this.list[i].event + 1);
      if (cost < least) {
        least = cost;
        best = i;
      }
    }
    this.bytes -= this.list[best].bytes.length;
    this.list.splice(best, 1);
  }

  /* The latest at or before an event, or null. */
  before(event) {
    for (let i = this.list.length - 1; i >= 0; i--) {
      if (this.list[i].event <= event)
        return this.list[i];
    }
    return null;
  }

  /* Forgets what is after an event, and what was at it with more clicks. */
  cut(event, clicks) {
    while (this.list.length > 0) {
      const last = this.list[this.list.length - 1];
      if (last.event < event || (last.event === event && last.clicks <= clicks))
        return;
      this.bytes -= last.bytes.length;
      this.list.pop();
    }
  }
}
