/* network.js - who can reach whom, and what is on its way: circles, lines and travelling dots. A line
 * that is clicked is cut, or made whole again; a circle that is clicked loses its power. */

import {setAttribute, setText, svg} from "./dom.js";

const RADIUS = 21;
const RADIUS_LOW = 17;
const LOW_PIXELS = 740; /* of a window, as in style.css */
const NARROW_PIXELS = 500; /* of what is drawn */
const MESSAGES_MAX = 64;
const SIDE = 5; /* of a line, by direction */
const CUT_AT = 0.38; /* of its length: in the middle there may be somebody's name */

export class Network {
  /* `does`: {power(node), part(a, b), mend(a, b)} */
  constructor(root, does) {
    this.root = root;
    this.does = does;
    this.count = 0;
    this.dots = new Map();
  }

  /* Two beside each other; more go up and down (of four each is above its computer), with names on the outside, where no
   * line comes. Where it is narrow they are on an ellipse. */
  place(count, width) {
    const isNarrow = width < NARROW_PIXELS, row = this.radius + 18;
    const height = count < 3 ? 84 : isNarrow ? (count > 4 ? 210 : 180) : this.radius < RADIUS ? 96 : count > 4 ? 130 : 110;
    const rx = Math.min(width / 2 - 60, count < 3 ? 240 : 300), ry = height / 2 - RADIUS - 14;
    this.root.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.root.setAttribute("height", height);
    this.spots = Array.from({length: count}, (_, i) => {
      const x = (i + 0.5) * width / count, arc = count > 4 ? 9 * ((2 * i + 1) / count - 1) ** 2 : 0;
      if (count > 2 && !isNarrow)
        return i % 2 === 0 ? {x, y: row + arc, isUpper: true} : {x, y: height - row - arc};
      const turn = (count === 3 ? Math.PI * 5 / 6 : count === 4 || count === 5 ? -Math.PI / 2 : Math.PI) + i * 2 * Math.PI / count;
      return {x: width / 2 + rx * Math.cos(turn), y: height / 2 - (count < 3 ? 6 : 4) + ry * Math.sin(turn)};
    });
  }

  build(nodes, width, radius) {
    this.count = nodes.length;
    this.width = width;
    this.radius = radius;
    this.dots.clear();
    this.root.replaceChildren();
    this.place(nodes.length, width);
    this.lines = new Map();
    this.layer = svg("g", {class: "dots"});
    for (let a = 0; a < nodes.length; a++) {
      for (let b = a + 1; b < nodes.length; b++)
        this.root.append(this.line(a, b, nodes));
    }
    this.root.append(this.layer);
    this.circles = nodes.map((node, i) => this.circle(node, i));
    this.root.append(...this.circles.map(circle => circle.group));
    this.root.append(this.more = svg("text", {class: "more", x: 4, y: 14}));
  }

  line(a, b, nodes) {
    const from = this.spots[a], to = this.spots[b];
    const place = {x: from.x + (to.x - from.x) * CUT_AT, y: from.y + (to.y - from.y) * CUT_AT};
    const ends = {x1: from.x, y1: from.y, x2: to.x, y2: to.y};
    const group = svg("g", {class: "link", tabindex: 0, role: "button"},
      svg("line", {class: "hit", ...ends}), svg("line", {class: "wire", ...ends}),
      svg("g", {class: "scissors", transform: `translate(${place.x} ${place.y})`},
        svg("circle", {r: 9}), svg("path", {d: "M-4-4 4 4M4-4-4 4"})));
    const name = `${nodes[a].name} and ${nodes[b].name}`;
    const line = {group, name, cut: null, used: false};
    group.dataset.link = a + "-" + b;
    const act = () => line.cut ? this.does.mend(a, b) : this.does.part(a, b);
    group.addEventListener("click", act);
    group.addEventListener("keydown", event => pressed(event, act));
    this.lines.set(a + "-" + b, line);
    return group;
  }

  circle(node, i) {
    const spot = this.spots[i];
    const name = svg("text", {class: "name", y: spot.isUpper ? -this.radius - 6 : this.radius + 14}); /* where no line is */
    const group = svg("g", {class: "host", transform: `translate(${spot.x} ${spot.y})`},
      svg("circle", {r: this.radius}), svg("path", {class: "bolt", d: "M3-12-8 3h7l-2 10L8-4H1z"}), name);
    setText(name, node.name);
    if (!node.spared) {
      setAttribute(group, "tabindex", 0);
      setAttribute(group, "role", "button");
      setAttribute(group, "aria-label", `Cut the power of ${node.name}`);
      group.addEventListener("click", () => this.does.power(i));
      group.addEventListener("keydown", event => pressed(event, () => this.does.power(i)));
    }
    return {group};
  }

  /* The next picture is of another run. */
  forget() {
    this.count = 0;
  }

  draw(state, width) {
    const shown = state.nodes.length > 1;
    this.root.style.display = shown ? "" : "none";
    if (!shown) {
      this.count = 0;
      return;
    }
    const radius = innerHeight <= LOW_PIXELS && width >= NARROW_PIXELS ? RADIUS_LOW : RADIUS;
    if (this.count !== state.nodes.length || Math.abs(width - this.width) > 8 || this.radius !== radius)
      this.build(state.nodes, width, radius);
    state.nodes.forEach((node, i) => setAttribute(this.circles[i].group, "data-state", node.state));
    this.drawLines(state);
    this.drawMessages(state);
  }

  drawLines(state) {
    for (const [key, line] of this.lines) {
      const [a, b] = key.split("-").map(Number);
      const there = state.links_cut.some(([from, to]) => from === a && to === b);
      const back = state.links_cut.some(([from, to]) => from === b && to === a);
      line.cut = there && back ? "both" : there || back ? "one" : null;
      setAttribute(line.group, "data-cut", line.cut);
      setAttribute(line.group, "aria-label", line.cut ? `Mend the link of ${line.name}` : `Cut the link of ${line.name}`);
      setAttribute(line.group, "aria-pressed", line.cut ? "true" : "false");
    }
  }

  /* A dot is known by its number, so that it glides from one picture to the next. */
  drawMessages(state) {
    const seen = new Set(), more = state.messages_more + Math.max(0, state.messages.length - MESSAGES_MAX);
    setText(this.more, more > 0 ? `and ${more} more on their way` : "");
    for (const message of state.messages.slice(0, MESSAGES_MAX)) {
      if (!this.spots[message.from] || !this.spots[message.to])
        continue;
      seen.add(message.id);
      this.use(Math.min(message.from, message.to), Math.max(message.from, message.to));
      this.drawMessage(message.id, message, state.now_ns);
    }
    for (const [id, dot] of this.dots) {
      if (!seen.has(id)) {
        dot.remove();
        this.dots.delete(id);
      }
    }
  }

  /* A line is faint until something has gone along it. */
  use(a, b) {
    const line = this.lines.get(a + "-" + b);
    if (!line.used) {
      line.used = true;
      setAttribute(line.group, "data-used", true);
    }
  }

  drawMessage(id, message, now) {
    const from = this.spots[message.from], to = this.spots[message.to];
    let dot = this.dots.get(id);
    if (!dot) {
      dot = svg("circle", {class: "dot " + message.kind, r: message.bytes > 256 ? 6 : message.bytes > 0 ? 4.5 : 3});
      dot.sent = now;
      this.layer.append(dot);
      this.dots.set(id, dot);
    }
    /* From when it was seen first. */
    const sent = Math.min(dot.sent, now), span = message.at_ns - sent;
    const way = span > 0 ? Math.min(1, Math.max(0, (now - sent) / span)) : 1;
    const long = Math.hypot(to.x - from.x, to.y - from.y) || 1;
    const edge = this.radius / long, at = edge + way * (1 - 2 * edge);
    const x = from.x + (to.x - from.x) * at + (to.y - from.y) / long * SIDE;
    const y = from.y + (to.y - from.y) * at - (to.x - from.x) / long * SIDE;
    dot.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)`;
  }
}

export function pressed(event, act) {
  if (event.key !== "Enter" && event.key !== " ")
    return;
  event.preventDefault();
  event.stopPropagation();
  act();
}
