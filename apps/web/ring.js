/* ring.js - snapshots of a run in a bounded number of bytes: dense near the present, thinner and
 * thinner towards the beginning. Any moment is the nearest snapshot before it, and the events since.
 * A snapshot has the pages of the engine's memory, and shares with others what has not changed. */

export class Ring {
  constructor(bytesMax) {
    this.bytesMax = bytesMax;
    this.clear();
  }

  clear() {
    this.list = [];
    this.bytes = 0;
    this.users = new Map(); /* of each page, in how many snapshots it is */
  }

  get last() {
    return this.list[this.list.length - 1];
  }

  /* A snapshot is {event, clicks, memory}: after how many events, with how many clicks done. It is
   * later than the last one. */
  add(snapshot) {
    this.list.push(snapshot);
    for (const page of snapshot.memory.pages) {
      const users = this.users.get(page) || 0;
      this.users.set(page, users + 1);
      if (users === 0)
        this.bytes += page.byteLength;
    }
    while (this.bytes > this.bytesMax && this.list.length > 2)
      this.thin();
  }

  /* Takes out the one whose absence is felt least: the gap that it would leave, in proportion to how
   * long ago it was. The first and the last stay. */
  thin() {
    const now = this.last.event;
    let best = 1, least = Infinity;
    for (let i = 1; i < this.list.length - 1; i++) {
      const cost = (this.list[i + 1].event - this.list[i - 1].event) / (now - this.list[i].event + 1);
      if (cost < least) {
        least = cost;
        best = i;
      }
    }
    this.drop(best);
  }

  drop(index) {
    for (const page of this.list[index].memory.pages) {
      const users = this.users.get(page) - 1;
      if (users > 0) {
        this.users.set(page, users);
      } else {
        this.users.delete(page);
        this.bytes -= page.byteLength;
      }
    }
    this.list.splice(index, 1);
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
    while (this.last && (this.last.event > event || (this.last.event === event && this.last.clicks > clicks)))
      this.drop(this.list.length - 1);
  }
}
