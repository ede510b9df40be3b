// The simulator in a module, for Node and browsers: calls with strings and objects instead of pointers.
// What the calls mean, and what the objects are: docs/wasm.md.

const PAGE = 65536;
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
    #log;

    // `module` is a WebAssembly.Module; `log(level, text)` is given what the module says.
    constructor(module, log = () => {}) {
        this.#log = log;
        const instance = new WebAssembly.Instance(module, {
            tempest_host: { log: (level, at, len) => this.#log(level, this.#text(at, len)) },
        });
        this.#exports = instance.exports;
        this.#memory = new Uint8Array(instance.exports.memory.buffer);
        this.#exports._initialize();
        if (this.#exports.engine_abi() !== 1) {
            throw new EngineError(`the module speaks version ${this.#exports.engine_abi()}, not 1`, 0);
        }
    }

    #text(at, len) {
        return new TextDecoder().decode(this.#memory.subarray(at >>> 0, (at >>> 0) + len));
    }

    #output() {
        const at = this.#exports.engine_output() >>> 0;
        return this.#memory.subarray(at, at + this.#exports.engine_output_bytes());
    }

    #check(result) {
        if (result < 0) {
            throw new EngineError(new TextDecoder().decode(this.#output()), result);
        }
        return result;
    }

    #json(result) {
        this.#check(result);
        return JSON.parse(new TextDecoder().decode(this.#output()));
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

    static #manner(scenario, { profile = '', faults = '' } = {}) {
        return new TextEncoder().encode(`${scenario}\n${profile}\n${faults}`);
    }

    list() {
        return this.#json(this.#exports.engine_list());
    }

    // `seed` is a BigInt, or a number; `how` may have profile and faults.
    open(scenario, seed, how) {
        const text = Engine.#manner(scenario, how);
        this.#input(text);
        this.#check(this.#exports.engine_open(text.length, BigInt(seed)));
    }

    openTape(scenario, tape, how) {
        const text = Engine.#manner(scenario, how);
        this.#input(text, tape);
        this.#check(this.#exports.engine_open_tape(text.length, tape.length));
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
        return this.#json(this.#exports.engine_state());
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

    explainTrapped() {
        this.#check(this.#exports.engine_explain_trapped());
    }

    explanation() {
        return this.#json(this.#exports.engine_explanation());
    }

    // All that the module is, between two calls.
    snapshot() {
        return this.#memory.slice(0, this.#exports.engine_used() >>> 0);
    }

    // Of this instance, or of another one of the same module.
    restore(snapshot) {
        const used = Math.ceil((this.#exports.engine_used() >>> 0) / PAGE) * PAGE;
        this.#memory.set(snapshot, 0);
        if (used > snapshot.length) {
            this.#memory.fill(0, snapshot.length, used);
        }
    }
}
