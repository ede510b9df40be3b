/* computer.js - one node: whether it is up, its clock, what it is doing, its disk, and what can be done
 * to it. Only what has changed is written. */

import {el, setAttribute, setText, svg, timeText} from "./dom.js";

const PAGES_ALONE = 48; /* shown of a file, if there is one computer, */
const PAGES_SOME = 24;  /* or two, */
const PAGES_MANY = 13;  /* or more, */
const PAGES_ROW = 9;    /* or four in a row: one line each; */
const PAGES_LOW = 12;   /* or the window is low. */
const PATH_ALONE = 44; /* characters of its name */
const PATH_MANY = 18;
const PATH_ROW = 11;
const FILES_SHOWN = 6; /* at most: what is below them stays in sight */
const NARROW_PIXELS = 980; /* up to that they are below each other, or nearly */
const NAMES_SHOWN = 2;

const WHY_DOWN = {"killed": "its process was killed", "power": "its power was cut", "exited": "its process has exited",
  "wiped": "its disk was wiped", "over": "its run is over", "not booted": "not booted yet"};

export class Computer {
  /* `act(name, node)` does something to it. */
  constructor(index, act) {
    const button = (name, words, title, classes = "") => el("button", {type: "button", class: classes, title,
      "data-act": name, onclick: () => act(this.instead[name] || name, index)}, words);
    this.index = index;
    this.instead = {};
    this.files = new Map();
    this.name = el("h3", {});
    this.boots = el("span", {class: "boots quiet small"});
    this.hand = svg("line", {x1: 12, y1: 12, x2: 12, y2: 4});
    this.clock = el("span", {class: "clock"}, svg("svg", {viewBox: "0 0 24 24", "aria-hidden": "true"},
      svg("circle", {cx: 12, cy: 12, r: 10.5}), svg("path", {d: "M12 1.5v3"}), this.hand), this.wall = el("span", {class: "wall"}),
    this.skew = el("span", {class: "skew"}));
    this.doing = el("p", {class: "doing"});
    this.room = el("div", {class: "room"}, el("i", {}, this.used = el("b", {})), this.roomWords = el("span", {}));
    this.list = el("ul", {class: "files"});
    this.names = el("ul", {class: "names"});
    this.state = el("p", {class: "state"});
    this.fitted = "";
    this.power = button("power", "", "Cut its power (P)", "power");
    this.power.append(svg("svg", {viewBox: "0 0 16 16", "aria-hidden": "true"}, svg("path", {d: "M9 0 2 9h5l-1 7 8-10H8z"})),
      this.powerWords = el("span", {}));
    this.others = {
      kill: button("kill", "Kill", "Kill its process: what it has written stays"),
      pause: button("pause", "Pause", "It stands still for a second"),
      sync: button("sync", "Fail a sync", "Its next sync fails, and its pages are lost on the way"),
      fill: button("fill", "Fill the disk", "Nothing more fits on its disk"),
    };
    this.actions = el("div", {class: "actions"}, ...Object.values(this.others));
    this.root = el("article", {class: "computer"}, el("header", {}, el("i", {class: "led"}), this.name, this.boots,
      this.clock), this.doing, el("div", {class: "disk"}, this.list, this.names, this.room), this.state, this.power, this.actions);
    this.stage = null; /* once it is there */
    this.resized = new ResizeObserver(() => this.root.isConnected ? this.fit() : this.resized.disconnect());
  }

  draw(node, state) {
    const canAct = !state.over && !node.spared;
    const isUp = node.state === "up" || node.state === "paused";
    this.node = node;
    setAttribute(this.root, "data-state", node.state);
    setText(this.name, node.name);
    setText(this.boots, node.boots > 1 ? `boot ${node.boots}` : "");
    this.drawClock(node.clock);
    this.drawDoing(node, state.now_ns);
    this.among = state.nodes.length;
    this.drawNames(node.disk, state.nodes.length > 2 ? 1 : NAMES_SHOWN);
    this.drawRoom(node.disk);
    /* One that has much to show, among others that have not. */
    setAttribute(this.root, "data-disk", state.nodes.length < 4 ? "usual" : node.disk.files.length > 0 ? "tall" : "none");
    setText(this.state, this.stateText(node, state));
    this.power.hidden = this.actions.hidden = node.spared;
    this.instead = {power: isUp ? "harsh" : "start", pause: node.state === "paused" ? "resume" : "pause",
      fill: node.disk.full ? "room" : "fill"};
    setText(this.powerWords, isUp ? "Cut the power" : "Boot now");
    setAttribute(this.power, "aria-label", `${isUp ? "Cut the power of" : "Boot"} ${node.name}`);
    setAttribute(this.power, "data-on", isUp);
    this.power.disabled = !canAct || node.state === "done" && state.phase === "check";
    setText(this.others.pause, node.state === "paused" ? "Resume" : "Pause");
    setText(this.others.fill, node.disk.full ? "Make room" : "Fill the disk");
    for (const [name, button] of Object.entries(this.others))
      button.disabled = !canAct || (!isUp && name !== "fill") || (name === "sync" && node.disk.sync_will_fail);
    queueMicrotask(() => this.fit()); /* once all else is drawn */
  }

  /* Draws as much of the files as there is room for: it depends on what is on the disk and on the window, and not on
   * what was drawn before. */
  fit() {
    if (!this.root.isConnected)
      return;
    if (this.stage === null)
      this.resized.observe(this.stage = this.root.closest(".stage"));
    const {disk} = this.node, isRow = (this.among === 4 || this.among > 5) && innerWidth > NARROW_PIXELS;
    const heads = Array.from(this.root.parentNode.querySelectorAll(".computer > header"), each => each.offsetHeight);
    const what = [innerWidth, innerHeight, heads, this.namesDrawn, disk.files_more,
      ...disk.files.map(file => file.path + file.pages.length)].join();
    this.pathShown = isRow ? PATH_ROW : this.among > 1 ? PATH_MANY : PATH_ALONE;
    if (this.fitted !== what) {
      this.fitted = what;
      this.filesShown = FILES_SHOWN;
      this.pagesShown = isRow ? PAGES_ROW : this.among > 2 ? PAGES_MANY : this.among > 1 ? PAGES_SOME : PAGES_ALONE;
    }
    this.drawFiles(disk);
    if (this.isTooHigh() && this.among < 3) {
      this.pagesShown = PAGES_LOW;
      this.drawFiles(disk);
    }
    while (this.files.size > 1 && this.isTooHigh()) {
      this.filesShown = this.files.size - 1;
      this.drawFiles(disk);
    }
  }

  /* Whether the stage has not enough room, and it is not for others that are higher. */
  isTooHigh() {
    const {stage, list, names, room} = this;
    const spare = room.offsetTop - Math.max(...[list, names].map(each => each.offsetTop + each.offsetHeight));
    return room.offsetParent !== null && stage.scrollHeight - stage.clientHeight > spare;
  }

  /* The hand points up when the clock is right; by the logarithm of how wrong it is, as seconds and hours
   * both occur. */
  drawClock(clock) {
    setAttribute(this.clock, "data-none", clock === null);
    if (clock === null) {
      setText(this.wall, "");
      setText(this.skew, "");
      return;
    }
    const wall = new Date(clock.wall_ns / 1e6).toISOString();
    const skew = clock.skew_ns, size = Math.abs(skew) < 1e3 ? 0 : Math.min(1, Math.log10(Math.abs(skew) / 1e3) / 9.6);
    this.hand.style.transform = `rotate(${(Math.sign(skew) * size * 150).toFixed(1)}deg)`;
    setText(this.skew, clock.frozen ? "stands" : size === 0 ? "on time" : (skew > 0 ? "+" : "\u2212") + timeText(Math.abs(skew)));
    setText(this.wall, wall.slice(11, 23));
    setAttribute(this.clock, "title", `Its wall clock says ${wall.slice(0, 23).replace("T", " ")}, beside the world's; its monotonic clock ` +
      `${timeText(clock.mono_ns)}${clock.drift_ppm ? `; they drift by ${clock.drift_ppm} ppm` : ""}`);
    setAttribute(this.clock, "data-off", clock.frozen || size > 0);
  }

  /* The operation that is done next, or the latest of those that wait for others; all else that is going on
   * is in the title. */
  drawDoing(node, now) {
    const op = node.ops.filter(each => each.due_ns > now).sort((a, b) => a.due_ns - b.due_ns)[0] || node.ops[node.ops.length - 1];
    const more = node.ops.length - 1 + node.ops_more;
    const what = op ? [op.kind, op.path, op.bytes ? `${op.bytes} bytes` : ""].filter(Boolean).join(" ") : "";
    const words = what + (op && op.due_ns > now ? `, done in ${timeText(op.due_ns - now)}` : "") + (more > 0 ? `, and ${more} more` : "");
    const who = op && op.machine ? op.machine : node.machines[0]?.name || "";
    setText(this.doing, node.state === "down" ? "\u00a0" : [who, words].filter(Boolean).join(": ") || "\u00a0");
    setAttribute(this.doing, "title", node.state === "down" ? null : doingTitle(node));
  }

  drawFiles(disk) {
    const files = disk.files.filter(file => file.kind !== "dir" || file.name !== "durable");
    const shown = chosen(files, this.filesShown), seen = new Set();
    for (const file of shown) {
      const key = file.inode + file.path;
      seen.add(key);
      if (!this.files.has(key))
        this.files.set(key, this.fileRow());
      this.drawFile(this.files.get(key), file);
    }
    for (const [key, row] of this.files) {
      if (!seen.has(key)) {
        row.root.remove();
        this.files.delete(key);
      }
    }
    shown.forEach((file, i) => {
      const {root} = this.files.get(file.inode + file.path);
      if (this.list.children[i] !== root)
        this.list.insertBefore(root, this.list.children[i] || null);
    });
    const more = files.length - shown.length + (disk.files_more || 0);
    setAttribute(this.list, "data-more", more > 0 ? `and ${more} more files` : null);
    setAttribute(this.list, "data-empty", files.length === 0 ? "an empty disk" : null);
  }

  fileRow() {
    const path = el("span", {class: "path"}), pages = el("span", {class: "pages"}), size = el("span", {class: "size quiet"});
    return {root: el("li", {}, path, pages, size), path, pages, size, drawn: null};
  }

  drawFile(row, file) {
    const title = {durable: "its name is durable", pending: "its name is in memory only: a power cut may lose it",
      gone: "it was removed, but the disk still has its name"}[file.name];
    setText(row.path, shortPath(file.path, this.pathShown));
    setAttribute(row.path, "data-name", file.name);
    setAttribute(row.path, "title", `${file.path}: ${title}`);
    setText(row.size, file.kind === "dir" ? "directory" : bytesText(file.size));
    setAttribute(row.size, "title", file.durable_size === file.size ? null : `${bytesText(file.durable_size)} of it on the disk`);
    if (row.drawn === file.pages)
      return;
    row.drawn = file.pages;
    const first = firstShown(file.pages, this.pagesShown), after = file.pages.length - first - this.pagesShown;
    row.pages.replaceChildren(first > 0 ? `${first} + ` : "", ...Array.from(file.pages.slice(first, first + this.pagesShown), page =>
      el("i", {class: "page " + (page === "." ? "hole" : page)})), after > 0 ? `+ ${after}` : "");
    setAttribute(row.pages, "aria-label", `${file.cached} pages in memory only, ${file.device} in the disk's cache, ` +
      `${file.durable} durable, ${file.lost} lost`);
    setAttribute(row.pages, "role", "img");
  }

  drawNames(disk, shown) {
    const words = disk.pending_names.slice(-shown);
    const more = disk.pending_names.length + disk.pending_names_more - words.length;
    const text = words.join("\n") + more;
    if (this.namesDrawn === text)
      return;
    this.namesDrawn = text;
    this.names.replaceChildren(...words.map(each => el("li", {title: each}, each)));
    if (more > 0)
      this.names.append(el("li", {class: "quiet"}, `and ${more} before`));
  }

  drawRoom(disk) {
    const part = Math.min(1, disk.used / disk.capacity);
    this.used.style.width = `${(part * 100).toFixed(1)}%`;
    setAttribute(this.room, "data-full", disk.full);
    setText(this.roomWords, `${sizeText(disk.used)} of ${sizeText(disk.capacity)}`);
    setAttribute(this.room, "title", `The disk is ${(part * 100).toFixed(0)} % full`);
  }

  stateText(node, state) {
    const left = at => at === null || at === undefined ? "" : ` for ${timeText(Math.max(0, at - state.now_ns))} more`;
    if (node.state === "down")
      return (WHY_DOWN[node.why] || "down") + (node.boots_at_ns === null ? "" :
        `; boots in ${timeText(Math.max(0, node.boots_at_ns - state.now_ns))}`);
    if (node.state === "paused")
      return "stands still" + left(node.resumes_at_ns);
    if (node.state === "done")
      return "its work is done";
    const ills = [];
    if (node.disk.sync_will_fail)
      ills.push("its next sync will fail");
    if (node.disk.failing)
      ills.push("its file system takes no change");
    if (node.disk.full)
      ills.push("its disk is full");
    if (ills.length > 0)
      return ills.join(", ");
    return riskText(node.disk);
  }
}

/* What only memory and the disk's cache have. */
function riskText(disk) {
  const pages = disk.pages.cached + disk.pages.device, names = disk.pending_names.length + disk.pending_names_more;
  const risks = [];
  if (pages > 0)
    risks.push(pages === 1 ? "1 page" : `${pages} pages`);
  if (names > 0)
    risks.push(names === 1 ? "1 name" : `${names} names`);
  return risks.length > 0 ? `a power cut may lose ${risks.join(", ")}` : "";
}

/* Of many files those that a power cut may change, and the newest, in their order. */
function chosen(files, count) {
  if (files.length <= count)
    return files;
  const risk = file => file.name !== "durable" || file.cached + file.device + file.lost > 0 ? 1 : 0;
  const first = new Set(files.slice().sort((a, b) => risk(b) - risk(a) || b.inode - a.inode).slice(0, count));
  return files.filter(file => first.has(file));
}

/* Its beginning and its end: names of one directory differ at the end. */
function shortPath(path, count) {
  return path.length <= count ? path : `${path.slice(0, count >> 2)}\u2026${path.slice(path.length - (count - (count >> 2)))}`;
}

/* Of a file with more pages than are shown: those around the first that is not durable. */
function firstShown(pages, count) {
  const first = pages.search(/[cdx]/);
  return first < 0 ? 0 : Math.max(0, Math.min(first - (count >> 2), pages.length - count));
}

/* Every machine, below the one that has begun it, and every operation. */
function doingTitle(node) {
  const lines = node.machines.map(({name, state, depth}) => `${"\u2003".repeat(depth)}${name} ${state}`);
  if (node.machines_more > 0)
    lines.push(`and ${node.machines_more} more machines`);
  for (const op of node.ops)
    lines.push(`${op.kind} ${op.path}${op.file ? ` (${op.file}:${op.line})` : ""}`);
  if (node.ops_more > 0)
    lines.push(`and ${node.ops_more} more operations`);
  return lines.join("\n");
}

function bytesText(bytes) {
  return bytes < 10240 ? bytes + " B" : sizeText(bytes);
}

function sizeText(bytes) {
  const unit = bytes < 1 << 20 ? 1 : bytes < 1 << 30 ? 2 : 3;
  return `${(bytes / 1024 ** unit).toFixed(0)} ${["KiB", "MiB", "GiB"][unit - 1]}`;
}
