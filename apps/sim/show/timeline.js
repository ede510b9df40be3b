/* timeline.js - the canvas: phases, a band for each node with its operations in rows, its disk below
 * them, messages between bands, what is selected and found. */

const ROW = 18, LABEL = 32, DISK = 26, GAP = 14, TOP = 62, PAD = 14;

class Timeline {
  constructor(frame, canvas, select) {
    this.frame = frame;
    this.canvas = canvas;
    this.space = canvas.parentElement;
    this.tip = document.getElementById("tip");
    this.select = select;
    this.exact = false;
    this.matches = new Set();
    this.marks = new Set();
    this.cursor = 0;
    this.listen();
  }

  show(run, marks) {
    this.run = run;
    this.marks = marks;
    this.matches = new Set();
    let y = TOP;
    for (const node of run.order) {
      node.top = y;
      y += LABEL + node.rows * ROW + DISK + GAP;
    }
    this.height = y;
    this.frame.scrollTop = 0;
    this.layout();
    this.fit();
  }

  layout() {
    const ratio = window.devicePixelRatio || 1;
    /* The canvas is as high as what is seen of it: many nodes would make it too large. */
    this.space.style.height = this.height + "px";
    this.width = Math.max(200, this.frame.clientWidth);
    this.seen = Math.max(TOP, Math.min(this.height, this.frame.clientHeight || this.height));
    this.canvas.width = Math.round(this.width * ratio);
    this.canvas.height = Math.round(this.seen * ratio);
    this.canvas.style.width = this.width + "px";
    this.canvas.style.height = this.seen + "px";
    this.ratio = ratio;
  }

  /* Where a node's band begins on the canvas, and how high it is. */
  top(node) {
    return node.top - this.frame.scrollTop;
  }

  size(node) {
    return LABEL + node.rows * ROW + DISK;
  }

  isSeen(node) {
    const top = this.top(node);
    return top < this.seen && top + this.size(node) > TOP - 20;
  }

  get axis() {
    return this.exact ? this.run.exact : this.run.even;
  }

  fit() {
    const axis = this.axis, count = this.run.facts.length;
    this.low = count ? axis[0] : 0;
    this.high = count ? Math.max(axis[count - 1], this.low + 1) : 1;
    this.from = this.low;
    this.to = this.high;
    this.draw();
  }

  x(index) {
    return PAD + (this.axis[index] - this.from) / (this.to - this.from) * (this.width - 2 * PAD);
  }

  /* Keeps the point of the axis that is at `px` where it is. */
  zoom(factor, px) {
    const at = this.from + (px - PAD) / (this.width - 2 * PAD) * (this.to - this.from);
    const whole = this.high - this.low;
    const span = Math.min(whole, Math.max(this.exact ? 100 : 6, (this.to - this.from) * factor));
    const part = (at - this.from) / (this.to - this.from);
    this.move(at - part * span, span);
  }

  move(from, span) {
    this.from = Math.max(this.low, Math.min(from, this.high - span));
    this.to = this.from + span;
    this.draw();
  }

  pan(px) {
    const span = this.to - this.from;
    this.move(this.from + px / (this.width - 2 * PAD) * span, span);
  }

  focus(index) {
    this.cursor = index;
    const event = this.run.events[index];
    if (event) {
      const x = this.axis[event.at], span = this.to - this.from;
      if (x < this.from + span * 0.05 || x > this.to - span * 0.05)
        this.move(x - span / 2, span);
      if (event.node) {
        const node = this.run.node(event.node);
        if (this.top(node) < TOP || this.top(node) + 60 > this.seen)
          this.frame.scrollTop = node.top - TOP;
      }
    }
    this.draw();
  }

  draw() {
    if (this.waiting || !this.run)
      return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.paint();
    });
  }

  paint() {
    const style = getComputedStyle(document.documentElement);
    this.color = name => style.getPropertyValue("--" + name).trim();
    const c = this.canvas.getContext("2d");
    this.c = c;
    c.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    c.clearRect(0, 0, this.width, this.height);
    c.textBaseline = "middle";
    this.labels = [];
    this.paintPhases(this.seen);
    this.run.order.filter(node => this.isSeen(node)).forEach(node => this.paintNode(node));
    for (const message of this.run.messages)
      this.paintMessage(message);
    this.paintInstants(event => event.node > 0);
    this.paintMarks(event => event.node > 0);
    c.fillStyle = this.color("card");
    c.fillRect(0, 0, this.width, TOP - 6);
    this.paintPhases(TOP - 6);
    this.paintTimes();
    this.paintInstants(event => event.node === 0);
    this.paintMarks(event => event.node === 0);
    this.paintCursor();
  }

  write(text, x, y, color, font) {
    this.c.font = (font || "") + " 11px system-ui, sans-serif";
    this.c.fillStyle = color;
    this.c.fillText(text, x, y);
  }

  room(text, font) {
    this.c.font = (font || "") + " 11px system-ui, sans-serif";
    return this.c.measureText(text).width;
  }

  paintInstants(accepts) {
    const rank = {verdict: 0, power: 1, kill: 2, promise: 3, event: 4, boot: 5, exit: 6};
    this.run.events.filter(event => rank[event.type] !== undefined && accepts(event))
      .sort((a, b) => rank[a.type] - rank[b.type] || a.index - b.index).forEach(event => this.paintInstant(event));
  }

  paintPhases(high) {
    const c = this.c;
    this.run.phases.forEach((phase, i) => {
      const a = Math.max(0, i === 0 ? 0 : this.x(phase.from));
      const b = i + 1 < this.run.phases.length ? this.x(phase.to) : this.width;
      if (b < 0 || a > this.width || b - a < 1)
        return;
      c.fillStyle = this.color(i % 2 ? "phase1" : "phase2");
      c.fillRect(a, 0, b - a, high);
      if (b - a > this.room(phase.name, "600") + 12)
        this.write(phase.name, a + 6, 11, this.color("quiet"), "600");
    });
  }

  paintTimes() {
    const facts = this.run.facts, c = this.c;
    let free = -1e9;
    for (let i = 0; i < facts.length; i++) {
      const x = this.x(i);
      if (x < free || x > this.width - 40 || x < 0)
        continue;
      const text = timeText(facts[i][0]);
      c.fillStyle = this.color("line");
      c.fillRect(x, 22, 1, 14);
      this.write(text, x + 3, 29, this.color("quiet"));
      free = x + Math.max(110, this.room(text) + 30);
    }
  }

  paintNode(node) {
    const c = this.c, top = this.top(node);
    this.write(node.label, 6, top + 8, this.color("text"), "700");
    for (const life of node.lives) {
      const a = Math.max(0, this.x(life.from)), b = Math.min(this.width, this.x(life.to));
      if (b > a) {
        c.fillStyle = this.color("up");
        c.fillRect(a, top + LABEL - 4, b - a, node.rows * ROW + 4);
        c.fillStyle = this.color("alive");
        c.fillRect(a, top + LABEL - 4, b - a, 2);
      }
    }
    for (const op of node.ops)
      this.paintOperation(node, op);
    this.paintDisk(node);
  }

  boxOf(op) {
    const node = this.run.node(op.node), a = this.x(op.from);
    const x = Math.min(a, this.x(op.at) - 3);
    return {x, y: this.top(node) + LABEL + op.row * ROW + 2, w: Math.max(5, this.x(op.last) - x), h: ROW - 4};
  }

  paintOperation(node, op) {
    const c = this.c, box = this.boxOf(op);
    if (box.x > this.width || box.x + box.w < 0)
      return;
    c.globalAlpha = this.matches.size && !this.matches.has(op.index) ? 0.25 : 1;
    c.fillStyle = this.color("op-" + op.kind);
    c.fillRect(box.x, box.y, box.w, box.h);
    if (op.to === undefined) { /* it never completes: an open end */
      c.fillStyle = this.color("bad");
      c.fillRect(box.x + box.w - 2, box.y, 2, box.h);
    }
    if (op.effect !== undefined) {
      c.fillStyle = this.color("effect");
      c.fillRect(this.x(op.effect) - 1, box.y + box.h - 4, 2, 4);
    }
    if (op.bad) {
      c.fillStyle = this.color("bad");
      c.fillRect(box.x, box.y + box.h - 4, box.w, 4);
    }
    const text = op.bad ? op.name + " " + op.result : op.name;
    if (box.w > this.room(text) + 8)
      this.write(text, Math.max(box.x, 0) + 4, box.y + box.h / 2 + 0.5, this.color("on-op"));
    c.globalAlpha = 1;
  }

  paintDisk(node) {
    const c = this.c, base = this.top(node) + this.size(node) - 2, high = DISK - 8;
    c.fillStyle = this.color("line");
    c.fillRect(0, base, this.width, 1);
    node.levels.forEach((level, i) => {
      const a = Math.round(this.x(level.at));
      const b = i + 1 < node.levels.length ? Math.round(this.x(node.levels[i + 1].at)) : this.width;
      if (b < 0 || a > this.width)
        return;
      let y = base;
      for (const name of ["lost", "device", "cached"]) {
        const h = level[name] === 0 ? 0 : Math.max(3, level[name] / node.peak * high);
        c.fillStyle = this.color("disk-" + name);
        c.fillRect(a, y - h, b - a, h);
        y -= h;
      }
      if (level.names > 0) {
        const h = Math.max(4, level.names / node.peak * high);
        c.fillStyle = this.color("disk-names");
        c.fillRect(a, base - h, b - a, 2);
      }
    });
  }

  paintMessage(message) {
    const c = this.c, from = this.run.node(message.from), to = this.run.nodes.get(message.to);
    if (!this.isSeen(from) && !(to && this.isSeen(to)))
      return;
    const box = this.boxOf(message.op), x0 = this.x(message.sent), y0 = box.y + box.h / 2;
    c.lineWidth = 1.5;
    c.strokeStyle = this.color(message.received === null ? "bad" : "op-network");
    c.globalAlpha = 0.75;
    c.beginPath();
    c.moveTo(x0, y0);
    if (message.received === null) {
      const down = to && to.top > from.top ? 1 : -1;
      c.setLineDash([3, 3]);
      c.lineTo(x0 + 14, y0 + down * 22);
    } else if (to) {
      const x1 = this.x(message.received), y1 = this.top(to) + LABEL + 2;
      c.bezierCurveTo(x0 + (x1 - x0) * 0.3, y0 + (y1 - y0) * 0.6, x1 - (x1 - x0) * 0.3, y1 - (y1 - y0) * 0.4, x1, y1);
    }
    c.stroke();
    c.setLineDash([]);
    if (message.received !== null && to) {
      c.fillStyle = this.color("op-network");
      c.beginPath();
      c.arc(this.x(message.received), this.top(to) + LABEL + 2, 3, 0, 7);
      c.fill();
    }
    c.globalAlpha = 1;
  }

  /* Crashes, promises, faults, the verdict: a line through the band, and words where there is room. */
  paintInstant(event) {
    const c = this.c, x = this.x(event.at), node = event.node ? this.run.node(event.node) : null;
    if (x < -200 || x > this.width + 5 || (node && !this.isSeen(node)))
      return;
    const y = node ? this.top(node) : 40, bottom = node ? y + this.size(node) : this.seen;
    const look = {boot: ["alive", 1, "boot"], exit: ["quiet", 1, "exit"], over: ["quiet", 1, "over"], kill: ["bad", 2, "killed"],
      power: ["bad", 3, "power cut"], event: ["fault", 1, event.text.replace("Fault: ", "")],
      promise: ["promise", 2, event.text.replace("Promised: ", "promised ")],
      verdict: [event.bad ? "bad" : "alive", 3, event.bad ? "FAILED" : "passed"]}[event.type];
    c.globalAlpha = this.matches.size && !this.matches.has(event.index) ? 0.3 : 1;
    c.fillStyle = this.color(look[0]);
    c.fillRect(x - look[1] / 2, node ? y + 27 : y, look[1], bottom - y - (node ? 27 : 0));
    c.beginPath();
    c.arc(x, y + (node ? 28 : 5), 4, 0, 7);
    c.fill();
    this.paintLabel(event, look, x, y);
    c.globalAlpha = 1;
  }

  paintLabel(event, look, x, y) {
    const heavy = event.type === "verdict" || event.type === "power" ? "700" : "";
    const text = look[2].length > 34 ? look[2].slice(0, 33) + "\u2026" : look[2], wide = this.room(text, heavy);
    let left = x + 6;
    if (left + wide > this.width - 4)
      left = x - wide - 8;
    const own = event.node ? this.room(this.run.node(event.node).label, "700") + 14 : 0;
    const isFree = at => (at !== y + 8 || left >= own) &&
      !this.labels.some(l => l.y === at && left < l.to + 6 && left + wide > l.from - 6);
    const top = event.node === 0 ? y + 5 : isFree(y + 8) ? y + 8 : y + 20;
    if (event.type !== "verdict" && !isFree(top))
      return;
    this.labels.push({y: top, from: left, to: left + wide});
    if (event.type === "verdict") {
      this.c.fillStyle = this.color(look[0]);
      this.c.fillRect(left - 3, top - 8, wide + 6, 16);
      this.write(text, left, top, this.color("on-bad"), heavy);
    } else {
      this.write(text, left, top, this.color(look[0]), heavy);
    }
  }

  /* What is a moment is a spot above its band, or above all. */
  spotOf(event) {
    const y = event.node ? this.top(this.run.node(event.node)) + 28 : 45;
    return {x: this.x(event.at) - 4, y: y - 4, w: 8, h: 8};
  }

  paintMarks(accepts) {
    [...this.marks].map(index => this.run.events[index]).filter(accepts).forEach(event => this.paintMark(event));
  }

  /* What the explanation points at. */
  paintMark(event) {
    const c = this.c, box = event.type === "op" ? this.boxOf(event) : this.spotOf(event);
    c.strokeStyle = this.color("mark");
    c.lineWidth = 2.5;
    c.strokeRect(box.x - 3, box.y - 3, box.w + 6, box.h + 6);
  }

  paintCursor() {
    const event = this.run.events[this.cursor], c = this.c;
    if (!event)
      return;
    const x = this.x(event.at);
    c.fillStyle = this.color("accent");
    c.fillRect(x - 0.75, 20, 1.5, this.seen - 20);
    c.beginPath();
    c.moveTo(x - 6, 18);
    c.lineTo(x + 6, 18);
    c.lineTo(x, 27);
    c.fill();
    if (event.type === "op" && this.top(this.run.node(event.node)) > TOP - 20) {
      const box = this.boxOf(event);
      c.strokeStyle = this.color("accent");
      c.lineWidth = 2;
      c.strokeRect(box.x - 1, box.y - 1, box.w + 2, box.h + 2);
    }
  }

  /* The event that is nearest to a point. */
  hit(px, py) {
    let best = -1, least = 1e9;
    for (const event of this.run.events) {
      const x = this.x(event.at);
      let distance = Math.abs(x - px);
      if (event.type === "op") {
        const box = this.boxOf(event);
        if (px >= box.x - 2 && px <= box.x + box.w + 2 && py >= box.y - 2 && py <= box.y + box.h + 2)
          distance = Math.min(distance, 1) * 0.1;
        else
          distance += 8 + Math.abs(py - box.y);
      } else if (event.node) {
        const node = this.run.node(event.node), top = this.top(node);
        distance += py < top || py > top + this.size(node) ? 200 : 2;
      } else {
        distance += py < TOP ? 0 : 60;
      }
      if (distance < least) {
        least = distance;
        best = event.index;
      }
    }
    return best;
  }

  /* In words, what the pointer is over; to select it is to click. */
  hover(e) {
    const box = this.canvas.getBoundingClientRect(), event = this.run.events[this.hit(e.clientX - box.left,
      e.clientY - box.top)];
    this.tip.hidden = !event || e.pointerType === "touch" || Math.abs(this.x(event.at) - (e.clientX - box.left)) > 120;
    if (this.tip.hidden)
      return;
    this.tip.textContent = timeText(event.t) + "  " + event.words + (event.site ? "  " + event.site : "");
    const left = Math.min(e.clientX + 12, window.innerWidth - this.tip.offsetWidth - 8);
    this.tip.style.left = Math.max(4, left) + "px";
    this.tip.style.top = e.clientY + 16 + "px";
  }

  listen() {
    const points = new Map();
    let moved = 0, apart = 0;
    this.canvas.addEventListener("pointerdown", e => {
      points.set(e.pointerId, e);
      moved = 0;
      apart = 0;
      this.canvas.setPointerCapture(e.pointerId);
    });
    this.canvas.addEventListener("pointermove", e => {
      const before = points.get(e.pointerId);
      if (!before) {
        this.hover(e);
        return;
      }
      points.set(e.pointerId, e);
      if (points.size === 2) {
        const [a, b] = [...points.values()], now = Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
        if (apart > 0 && now > 0)
          this.zoom(apart / now, (a.clientX + b.clientX) / 2 - this.canvas.getBoundingClientRect().left);
        apart = now;
        moved = 100;
        return;
      }
      moved += Math.abs(e.clientX - before.clientX);
      if (moved > 4)
        this.pan(before.clientX - e.clientX);
    });
    const lift = e => {
      const was = points.delete(e.pointerId);
      if (was && moved <= 4 && e.type === "pointerup") {
        const box = this.canvas.getBoundingClientRect();
        this.select(this.hit(e.clientX - box.left, e.clientY - box.top));
      }
    };
    this.canvas.addEventListener("pointerup", lift);
    this.canvas.addEventListener("pointerleave", () => this.tip.hidden = true);
    this.canvas.addEventListener("pointercancel", lift);
    this.canvas.addEventListener("wheel", e => {
      if (e.ctrlKey || e.metaKey) {
        e.preventDefault();
        this.zoom(Math.exp(e.deltaY / 200), e.clientX - this.canvas.getBoundingClientRect().left);
      } else if (Math.abs(e.deltaX) > Math.abs(e.deltaY) || e.shiftKey) {
        e.preventDefault();
        this.pan(e.deltaX || e.deltaY);
      }
    }, {passive: false});
    this.frame.addEventListener("scroll", () => this.draw());
    window.addEventListener("resize", () => {
      if (this.run) {
        this.layout();
        this.draw();
      }
    });
  }
}
