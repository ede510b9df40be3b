// The simulator in a module, for Node and browsers: calls with strings and objects instead of pointers.
// What the calls mean, and what the objects are: docs/wasm.md.

const ABI = 3;
const PAGE = 4096; // as in engine_touched()
const STOPPED_BYTES = 1000; // of what a program said when it stopped itself
const ERROR = 3; // of the log's levels
const REPORT = 'tempest: '; // a report begins so; its other lines do not
const encoder = new TextEncoder();
const decoder = new TextDecoder();
export const NEVER = 2n ** 64n - 1n;

export class EngineError extends Error {
    constructor(message, code) {
        super(message);
        this.name = 'EngineError';
        this.code = code;
    }
}

export class Engine {
    #exports;
    #memory;
    #words; // the same, four bytes at a time

    // `module` is a WebAssembly.Module, which many engines can share; `log(level, text)` is given what it says.
    constructor(module, log = () => {}) {
        this.said = ''; // the last error, all its lines: why a program has stopped itself
        const instance = new WebAssembly.Instance(module, {
            tempest_host: { log: (level, at, len) => this.#hear(level, this.#text(at, len), log) },
        });
        this.#exports = instance.exports;
        this.#memory = new Uint8Array(instance.exports.memory.buffer);
        this.#words = new Int32Array(instance.exports.memory.buffer);
        this.#exports._initialize();
        if (this.#exports.engine_abi() !== ABI) {
            throw new EngineError(`the module speaks version ${this.#exports.engine_abi()}, not ${ABI}`, 0);
        }
    }

    #hear(level, text, log) {
        if (level === ERROR) {
            const goesOn = this.said.startsWith(REPORT) && !text.startsWith(REPORT);
            this.said = goesOn ? `${this.said}\n${text}` : text;
        }
        log(level, text);
    }

    #text(at, len) {
        return decoder.decode(this.#memory.subarray(at >>> 0, (at >>> 0) + len));
    }

    #output() {
        const at = this.#exports.engine_output() >>> 0;
        return this.#memory.subarray(at, at + this.#exports.engine_output_bytes());
    }

    #check(result) {
        if (result < 0) {
            throw new EngineError(decoder.decode(this.#output()), result);
        }
        return result;
    }

    #outputText(result) {
        this.#check(result);
        return decoder.decode(this.#output());
    }

    #json(result) {
        return JSON.parse(this.#outputText(result));
    }

    // Bytes that the next call takes.
    #input(...parts) {
        const len = parts.reduce((sum, part) => sum + part.length, 0);
        let at = this.#exports.engine_input(len) >>> 0;
        if (at === 0) {
            throw new EngineError('too many bytes', 0);
        }
        for (const part of parts) {
            this.#memory.set(part, at);
            at += part.length;
        }
    }

    list() {
        return this.#json(this.#exports.engine_list());
    }

    // Of which scenario a tape is, and its profile and faults, as in open(); '' where it does not say.
    label(tape) {
        this.#input(tape);
        return this.#json(this.#exports.engine_label(tape.length));
    }

    // `seed` is a BigInt, a number, or either as text; on `tape`, the bytes of one, it does not count, and profile
    // and faults are those of its label where none are given.
    open(scenario, seed, { profile = '', faults = '', tape = null } = {}) {
        const text = encoder.encode(`${scenario}\n${profile}\n${faults}`);
        if (tape === null) {
            this.#input(text);
            this.#check(this.#exports.engine_open(text.length, BigInt(seed)));
        } else {
            this.#input(text, tape);
            this.#check(this.#exports.engine_open_tape(text.length, tape.length));
        }
    }

    close() {
        this.#exports.engine_close();
    }

    step(events, untilNs = NEVER) {
        return this.#check(this.#exports.engine_step(events, untilNs));
    }

    stepNode(node, events) {
        return this.#check(this.#exports.engine_step_node(node, events));
    }

    get over() {
        return this.#exports.engine_over() === 1;
    }

    state() {
        return JSON.parse(this.stateText());
    }

    stateText() {
        return this.#outputText(this.#exports.engine_state());
    }

    facts(from = 0) {
        return this.#json(this.#exports.engine_facts(BigInt(from)));
    }

    marks(from = 0) {
        return this.#json(this.#exports.engine_marks(BigInt(from)));
    }

    // `kind` as in list().acts.
    act(kind, node, other = 0, spanNs = 0) {
        this.#check(this.#exports.engine_act(kind, node, other, BigInt(spanNs)));
    }

    tape() {
        this.#check(this.#exports.engine_tape());
        return this.#output().slice();
    }

    explainBegin() {
        this.#check(this.#exports.engine_explain_begin());
    }

    // Whether there is more to do.
    explainStep() {
        return this.#check(this.#exports.engine_explain_step()) === 1;
    }

    // After a trap in that, in another instance, with snapshots of the memory from before the step and of the one
    // that trapped: the trial counts as failed, and what it has kept of itself is made use of. Returns as above.
    explainTrapped(before, after) {
        this.restore(after);
        if (this.#exports.engine_explain_keeps() !== 1) {
            this.restore(before);
        }
        this.#check(this.#exports.engine_explain_trapped());
        return !this.explanation().done;
    }

    explanation() {
        return this.#json(this.#exports.engine_explanation());
    }

    // After a trap, in another instance, into which the memory of the one that trapped has been copied: the run
    // can be looked at as it was when it stopped itself, with `words` as what it said.
    stopped(words) {
        const text = encoder.encode(words).subarray(0, STOPPED_BYTES);
        this.#input(text);
        this.#check(this.#exports.engine_stopped(text.length));
    }

    // All that the module is, between two calls, or when it trapped: the pages of its memory that are not all
    // zeros, by number. Those that are as in `last`, an earlier snapshot, are the same objects.
    snapshot(last = null) {
        const touched = this.#memory.subarray(this.#exports.engine_touched() >>> 0);
        const count = Math.ceil((this.#exports.engine_used() >>> 0) / PAGE);
        const taken = { count, numbers: [], pages: [] };
        for (let number = 0, at = 0; number < count; number++) {
            if ((touched[number >> 3] & 1 << (number & 7)) === 0) {
                continue;
            }
            const now = this.#words.subarray(number * PAGE / 4, (number + 1) * PAGE / 4);
            while (last !== null && last.numbers[at] < number) {
                at++;
            }
            const before = last !== null && last.numbers[at] === number ? last.pages[at] : null;
            taken.numbers.push(number);
            taken.pages.push(before !== null && isSame(before, now) ? before : now.slice());
        }
        return taken;
    }

    // Of this instance, or of another one of the same module. What lies behind was zero when it was taken.
    restore({ count, numbers, pages }) {
        const end = Math.max(count, Math.ceil((this.#exports.engine_used() >>> 0) / PAGE));
        let next = 0;
        for (let i = 0; i < numbers.length; next = numbers[i++] + 1) {
            this.#words.fill(0, next * PAGE / 4, numbers[i] * PAGE / 4);
            this.#words.set(pages[i], numbers[i] * PAGE / 4);
        }
        this.#words.fill(0, next * PAGE / 4, end * PAGE / 4);
    }
}

function isSame(one, other) {
    for (let i = 0; i < one.length; i++) {
        if (one[i] !== other[i]) {
            return false;
        }
    }
    return true;
}

// How many bytes some snapshots have together.
export function snapshotBytes(...snapshots) {
    return new Set(snapshots.flatMap((snapshot) => snapshot.pages)).size * PAGE;
}
