/* model.js - the facts of a run become what the page shows: events to step through, operations
 * from their submission to their completion, messages, phases, and files on disks. */

const PHASE = 0, BOOT = 1, END = 2, EVENT = 3, PROMISE = 4, OPERATION = 5, VERDICT = 6, FILE = 16, MESSAGE = 17;
const BEGUN = 0, EFFECT = 1, COMPLETED = 2;
const ENDS = [null, {type: "exit", text: "The process exits"}, {type: "kill", text: "The process is killed"},
  {type: "power", text: "The power is cut"}, {type: "power", text: "The power is cut, and the disk is as it was earlier"},
  {type: "power", text: "The power is cut, and the disk is empty"}, {type: "over", text: "Its run is over"}];

/* Names may be any bytes: the file has one character for each. */
function decode(text) {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++)
    bytes[i] = text.charCodeAt(i);
  return new TextDecoder("utf-8").decode(bytes).replace(/[\u0000-\u001f\u007f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
}

/* What a verdict says, in a line, without the directories of the place that it names. */
function sentence(text) {
  return text.split("\n").map(line => decode(line).trim()).join(" ").replace(/^tempest: /, "")
    .replace(/(?:[\w.-]*\/)+([\w.-]+\.[ch]:\d)/g, "$1");
}

function diskOf(columns) {
  if (!columns)
    return null;
  return {durable: columns[0], cached: columns[1], device: columns[2], lost: columns[3], names: columns[4],
    size: columns[5], mediaSize: columns[6]};
}

/* What an operation is coloured by. */
function classOf(name) {
  if (/^(write|truncate|fallocate)$/.test(name))
    return "write";
  if (/^(fsync|sync_dir)$/.test(name))
    return "sync";
  if (/^(open|rename|remove|create_dir|create_dir_all|remove_dir|symlink)$/.test(name))
    return "names";
  if (/^(listen|connect|accept|accept_many|recv|recv_many|send|send_bufs|shutdown|set_socket|socket_address|resolve|bind|send_to|recv_from)$/
    .test(name))
    return "network";
  return /^(read|fstat|stat|list_dir|find_data|read_link)$/.test(name) ? "read" : "other";
}

/* What a path has become by an operation on names. */
function pathAfter(op, path) {
  if (op.bad || op.kind !== "names")
    return path;
  if (op.name === "rename") {
    const [from, to] = op.text.split(" -> ");
    return path === from ? to : path === to ? path + " (replaced)" : path;
  }
  return op.name === "remove" && path === op.text ? path + " (removed)" : path;
}

function nameOf(node) {
  return node === 0 ? "the run" : "node " + (node - 1);
}

class Run {
  constructor(data, raw) {
    this.data = data;
    this.raw = raw;
    this.failed = raw.verdict !== "passed";
    this.facts = raw.facts;
    this.nodes = new Map();
    this.events = [];
    this.messages = [];
    this.phases = [];
    this.open = new Map();
    this.sends = new Map();
    this.read();
    this.close();
    this.place();
    this.pack();
  }

  node(number) {
    let node = this.nodes.get(number);
    if (!node) {
      node = {number, label: nameOf(number), up: true, lives: [], from: 0, ops: [], paths: new Map(), rows: 1};
      this.nodes.set(number, node);
    }
    return node;
  }

  add(index, fields) {
    const event = Object.assign({at: index, t: this.facts[index][0], node: this.facts[index][2]}, fields);
    this.events.push(event);
    return event;
  }

  read() {
    this.facts.forEach((fact, index) => {
      const number = fact[2], node = number > 0 ? this.node(number) : null;
      switch (fact[1]) {
      case PHASE:
        this.phases.push({from: index, name: this.data.phases[fact[3]]});
        this.add(index, {type: "phase", major: true, text: "Phase: " + this.data.phases[fact[3]]});
        break;
      case BOOT:
        this.boot(index, node, fact);
        break;
      case END:
        this.end(index, node, fact[3], decode(fact[4]));
        break;
      case EVENT:
        this.add(index, {type: "event", major: true, text: "Fault: " + decode(fact[4])});
        break;
      case PROMISE:
        this.add(index, {type: "promise", major: true, text: "Promised: " + decode(fact[4])});
        break;
      case VERDICT:
        this.add(index, {type: "verdict", major: true, bad: fact[3] !== 0,
          text: this.data.verdicts[fact[3]] + ": " + sentence(fact[4])});
        break;
      case OPERATION:
        this.operation(index, node, fact);
        break;
      case FILE:
        node.paths.set(fact[3], decode(fact[4]));
        if (node.boot)
          node.boot.files.push({inode: fact[3], path: decode(fact[4]), disk: diskOf(fact[5])});
        break;
      case MESSAGE:
        this.received(index, number, fact);
        break;
      }
    });
  }

  boot(index, node, fact) {
    if (fact[4])
      node.label = decode(fact[4]);
    node.up = true;
    node.from = index;
    node.paths = new Map();
    node.boot = this.add(index, {type: "boot", major: true, files: [],
      text: fact[3] === 0 ? "Boots" : "Boots again"});
  }

  end(index, node, how, words) {
    for (const [key, op] of this.open) {
      if (op.node === node.number) {
        op.gone = index;
        this.open.delete(key);
      }
    }
    if (node.up)
      node.lives.push({from: node.from, to: index});
    node.up = false;
    this.add(index, {major: true, bad: words !== "", ...ENDS[how], text: ENDS[how].text + (words ? ": " + words : "")});
  }

  operation(index, node, fact) {
    const key = fact[2] + "/" + fact[4], stage = fact[3];
    let op = this.open.get(key);
    if (!op) {
      op = {type: "op", node: fact[2], name: this.data.kinds[fact[5]], from: index};
      op.kind = classOf(op.name);
      node.ops.push(op);
      this.open.set(key, op);
    }
    if (stage !== BEGUN) {
      op.result = fact[6];
      op.bad = typeof fact[6] === "string";
    }
    if (stage === COMPLETED) {
      op.to = index;
      this.open.delete(key);
      return;
    }
    op.offset = fact[7];
    op.len = fact[8];
    op.inode = fact[9] || op.inode || 0;
    op.text = decode(fact[10]) || op.text || "";
    op.site = decode(fact[11]) || op.site || "";
    if (stage === EFFECT)
      this.effect(index, node, op, fact);
    else
      op.path = node.paths.get(op.inode) || "";
  }

  effect(index, node, op, fact) {
    op.effect = index;
    op.number = fact[12];
    op.dir = fact[13];
    op.changes = !!fact[14];
    op.disk = diskOf(fact[15]);
    op.peer = fact[16];
    if (op.name === "open" && op.inode && !op.bad)
      node.paths.set(op.inode, op.text);
    for (const [inode, path] of node.paths)
      node.paths.set(inode, pathAfter(op, path));
    op.path = node.paths.get(op.inode) || "";
    if (op.peer && op.kind === "network") {
      op.message = {op, from: fact[2], to: op.peer, sent: index, received: null, bytes: op.result};
      this.messages.push(op.message);
      this.sends.set(fact[2] + "/" + op.number, op.message);
    }
  }

  received(index, number, fact) {
    const message = this.sends.get(fact[3] + "/" + fact[4]);
    if (message && message.received === null) {
      message.received = index;
      message.to = number;
    }
  }

  /* What is still open when the run ends, and the verdict of a run that was stopped. */
  close() {
    const last = Math.max(0, this.facts.length - 1);
    for (const node of this.nodes.values()) {
      if (node.up)
        node.lives.push({from: node.from, to: last});
      for (const op of node.ops) {
        const at = op.effect !== undefined ? op.effect : op.from;
        op.at = at;
        op.t = this.facts[at][0];
        this.events.push(op);
      }
    }
    this.events.sort((a, b) => a.at - b.at);
    if (this.failed && !this.events.some(e => e.type === "verdict") && this.facts.length > 0)
      this.events.push({type: "verdict", major: true, bad: true, at: last, t: this.facts[last][0], node: 0,
        text: this.raw.verdict + ": " + sentence(this.raw.message)});
    this.phases.forEach((phase, i) => {
      phase.to = i + 1 < this.phases.length ? this.phases[i + 1].from : last;
    });
    this.events.forEach((event, i) => {
      event.index = i;
      event.words = this.wordsOf(event);
      event.find = (nameOf(event.node) + " " + (event.node ? this.node(event.node).label : "") + " " + event.words +
        " " + (event.site || "") + " " + (event.path || "")).toLowerCase();
    });
    this.failure = this.events.findIndex(e => e.type === "verdict" && e.bad);
  }

  /* Two axes: a step for each fact, longer after a longer pause, and time to scale. */
  place() {
    this.even = new Float64Array(this.facts.length + 1);
    this.exact = new Float64Array(this.facts.length + 1);
    let x = 0, before = this.facts.length ? this.facts[0][0] : 0;
    this.facts.forEach((fact, i) => {
      const gap = fact[0] - before;
      if (i > 0)
        x += gap === 0 ? 0.7 : 1 + 0.3 * Math.log2(1 + gap / 1000);
      this.even[i] = x;
      this.exact[i] = fact[0];
      before = fact[0];
    });
  }

  /* Operations of a node in flight together lie in rows below each other. */
  pack() {
    for (const node of this.nodes.values()) {
      const ends = [];
      node.ops.sort((a, b) => a.from - b.from);
      for (const op of node.ops) {
        const to = op.to !== undefined ? op.to : op.gone !== undefined ? op.gone : this.facts.length - 1;
        let row = ends.findIndex(end => end <= op.from);
        if (row < 0)
          row = ends.length < 8 ? ends.length : 7;
        ends[row] = Math.max(to, ends[row] || 0);
        op.row = row;
        op.last = to;
      }
      node.rows = Math.max(1, ends.length);
      this.levels(node);
    }
    this.order = [...this.nodes.values()].sort((a, b) => a.number - b.number);
  }

  /* How much of a node's disk is not durable, over time. */
  levels(node) {
    let files = new Map(), names = 0;
    node.levels = [];
    node.peak = 1;
    for (const event of this.events) {
      if (event.node !== node.number)
        continue;
      if (event.type === "boot") {
        files = new Map(event.files.map(file => [file.inode, file.disk]));
        names = event.files.length ? event.files[0].disk.names : 0;
      } else if (event.type === "power") {
        files = new Map();
        names = 0;
      } else if (event.type === "op" && event.disk) {
        names = event.disk.names;
        if (event.inode)
          files.set(event.inode, event.disk);
      } else {
        continue;
      }
      const level = {at: event.at, cached: 0, device: 0, lost: 0, names};
      for (const disk of files.values()) {
        level.cached += disk.cached;
        level.device += disk.device;
        level.lost += disk.lost;
      }
      node.levels.push(level);
      node.peak = Math.max(node.peak, level.cached + level.device + level.lost, names);
    }
  }

  wordsOf(event) {
    if (event.type !== "op")
      return event.text;
    let words = event.name;
    if (event.kind === "write" && event.name === "write" || event.name === "read")
      words += " " + event.len + " bytes at " + event.offset;
    const what = event.text || event.path;
    if (what)
      words += " " + what;
    return words + " = " + (event.result === undefined ? "never completes" : event.result);
  }

  /* The files of a node as they are at an event, from its last boot on. */
  filesAt(number, index) {
    let files = new Map(), names = 0, known = false;
    for (let i = 0; i <= index; i++) {
      const event = this.events[i];
      if (event.node !== number)
        continue;
      if (event.type === "boot") {
        files = new Map(event.files.map(file => [file.inode, {path: file.path, disk: file.disk}]));
        names = event.files.length ? event.files[0].disk.names : 0;
        known = true;
      } else if (event.type === "op" && event.disk) {
        names = event.disk.names;
        known = true;
        for (const file of files.values())
          file.path = pathAfter(event, file.path);
        if (event.inode && event.kind !== "network" && (event.disk.size || event.disk.mediaSize || event.path)) {
          const file = files.get(event.inode);
          files.set(event.inode, {path: event.path || file && file.path || "file " + event.inode, disk: event.disk});
        }
      }
    }
    for (const [inode, file] of files) {
      const path = this.node(number).paths.get(inode);
      if (file.path.startsWith("file ") && path)
        file.path = path;
    }
    return known ? {files: [...files.values()], names} : null;
  }

  inFlightAt(number, at) {
    return this.node(number).ops.filter(op => op.from <= at && op.last >= at && op.effect !== at);
  }
}

function timeText(ns) {
  if (ns < 1e6)
    return (ns / 1e3).toFixed(ns % 1000 ? 3 : 0) + " \u00b5s";
  if (ns < 1e9)
    return (ns / 1e6).toFixed(3) + " ms";
  return ns < 600e9 ? (ns / 1e9).toFixed(4) + " s" : (ns / 60e9).toFixed(2) + " min";
}
