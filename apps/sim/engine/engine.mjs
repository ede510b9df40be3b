// The simulator in a module, for Node and browsers: calls with strings and objects instead of pointers.
// What the calls mean, and what the objects are: docs/wasm.md.

const ABI = 4;
const PAGE = 4096; // as in engine_touched()
const STOPPED_BYTES = 1000; // of what a program said when it stopped itself
const ERROR = 3; // of the log's levels
const TRIAL_EVENTS = 20000; // between two looks at the clock
const TRIAL_MS = 10000; // as natively: a run that takes longer hangs
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

// What two modules have in common: bytes and strings go in by engine_input(), out by engine_output().
class Module {
    // `name` is of the file that `module` should be of, and `own` a call that no other module has.
    constructor(module, name, own, imports, log) {
        if (!WebAssembly.Module.exports(module).some((each) => each.name === own)) {
            throw new EngineError(`this module is not ${name}: it has no ${own}()`, 0);
        }
        this.said = ''; // the last error, all its lines: why a program has stopped itself
        const instance = new WebAssembly.Instance(module, {
            tempest_host: { ...imports, log: (level, at, len) => this.#hear(level, decoder.decode(this.bytes(at, len)), log) },
        });
        this.exports = instance.exports;
        this.memory = new Uint8Array(instance.exports.memory.buffer);
        this.exports._initialize();
        if (this.exports.engine_abi() !== ABI) {
            throw new EngineError(`the module speaks version ${this.exports.engine_abi()}, not ${ABI}`, 0);
        }
    }

    #hear(level, text, log) {
        if (level === ERROR) {
            const goesOn = this.said.startsWith(REPORT) && !text.startsWith(REPORT);
            this.said = goesOn ? `${this.said}\n${text}` : text;
        }
        log(level, text);
    }

    bytes(at, len) {
        return this.memory.subarray(at >>> 0, (at >>> 0) + len);
    }

    output() {
        return this.bytes(this.exports.engine_output(), this.exports.engine_output_bytes());
    }

    check(result) {
        if (result < 0) {
            throw new EngineError(decoder.decode(this.output()), result);
        }
        return result;
    }

    outputText(result) {
        this.check(result);
        return decoder.decode(this.output());
    }

    json(result) {
        return JSON.parse(this.outputText(result));
    }

    // Bytes that the next call takes.
    input(...parts) {
        const len = parts.reduce((sum, part) => sum + part.length, 0);
        let at = this.exports.engine_input(len) >>> 0;
        if (at === 0) {
            throw new EngineError('too many bytes', 0);
        }
        for (const part of parts) {
            this.memory.set(part, at);
            at += part.length;
        }
    }

    tape() {
        this.check(this.exports.engine_tape());
        return this.output().slice();
    }
}

export class Engine extends Module {
    #words; // the memory, four bytes at a time
    isUsedUp = false; // by a trial

    // `module` is a WebAssembly.Module, which many engines can share; `log(level, text)` is given what it says.
    constructor(module, log = () => {}) {
        super(module, 'tempest-sim.wasm', 'engine_open', {}, log);
        this.#words = new Int32Array(this.memory.buffer);
    }

    list() {
        return this.json(this.exports.engine_list());
    }

    // Of which scenario a tape is, and its profile and faults, as in open(); '' where it does not say.
    label(tape) {
        this.input(tape);
        return this.json(this.exports.engine_label(tape.length));
    }

    // `seed` is a BigInt, a number, or either as text; on `tape`, the bytes of one, it does not count, and profile
    // and faults are those of its label where none are given.
    open(scenario, seed, { profile = '', faults = '', tape = null } = {}) {
        const text = encoder.encode(`${scenario}\n${profile}\n${faults}`);
        if (tape === null) {
            this.input(text);
            this.check(this.exports.engine_open(text.length, BigInt(seed)));
        } else {
            this.input(text, tape);
            this.check(this.exports.engine_open_tape(text.length, tape.length));
        }
    }

    close() {
        this.exports.engine_close();
    }

    step(events, untilNs = NEVER) {
        return this.check(this.exports.engine_step(events, untilNs));
    }

    stepNode(node, events) {
        return this.check(this.exports.engine_step_node(node, events));
    }

    get over() {
        return this.exports.engine_over() === 1;
    }

    state() {
        return JSON.parse(this.stateText());
    }

    stateText() {
        return this.outputText(this.exports.engine_state());
    }

    facts(from = 0) {
        return this.json(this.exports.engine_facts(BigInt(from)));
    }

    marks(from = 0) {
        return this.json(this.exports.engine_marks(BigInt(from)));
    }

    // `kind` as in list().acts.
    act(kind, node, other = 0, spanNs = 0) {
        this.check(this.exports.engine_act(kind, node, other, BigInt(spanNs)));
    }

    // After a trap, in another instance, into which the memory of the one that trapped has been copied: the run
    // can be looked at as it was when it stopped itself, with `words` as what it said.
    stopped(words) {
        const text = encoder.encode(words).subarray(0, STOPPED_BYTES);
        this.input(text);
        this.check(this.exports.engine_stopped(text.length));
    }

    // All that the module is, between two calls, or when it trapped: the pages of its memory that are not all
    // zeros, by number. Those that are as in `last`, an earlier snapshot, are the same objects.
    snapshot(last = null) {
        const touched = this.memory.subarray(this.exports.engine_touched() >>> 0);
        const count = Math.ceil((this.exports.engine_used() >>> 0) / PAGE);
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
        const end = Math.max(count, Math.ceil((this.exports.engine_used() >>> 0) / PAGE));
        let next = 0;
        for (let i = 0; i < numbers.length; next = numbers[i++] + 1) {
            this.#words.fill(0, next * PAGE / 4, numbers[i] * PAGE / 4);
            this.#words.set(pages[i], numbers[i] * PAGE / 4);
        }
        this.#words.fill(0, next * PAGE / 4, end * PAGE / 4);
    }

    // A trial that an Explainer wants of a scenario, as bytes, and so is what comes of it; it is over within `limitMs`.
    // null: the program has stopped itself, this instance is of no use any more, and cannot even say that.
    trial(manner, order, limitMs) {
        let mayGoOn = true;
        this.said = '';
        this.input(manner, order);
        this.check(this.exports.engine_attempt_begin(manner.length, order.length));
        const until = performance.now() + limitMs;
        try {
            while (this.check(this.exports.engine_attempt_go(TRIAL_EVENTS)) === 1 && mayGoOn) {
                mayGoOn = performance.now() < until;
            }
        } catch (error) {
            this.isUsedUp = true;
            this.said ||= error.message;
        }
        this.isUsedUp ||= !mayGoOn;
        try {
            const said = encoder.encode(this.said).subarray(0, STOPPED_BYTES);
            this.input(said);
            this.check(this.exports.engine_attempt_end(said.length, mayGoOn ? 0 : 1));
            return this.output();
        } catch (error) {
            if (!(error instanceof WebAssembly.RuntimeError)) {
                throw error;
            }
            return null;
        }
    }
}

// Why a run failed: what `tempest-sim explain` says of it. `why` and `sim` are both modules; what is looked for is in
// the one, and trials are run in instances of the other. An instance explains one run.
export class Explainer extends Module {
    #sim;
    #engine;
    #manner;
    #tell;

    constructor(why, sim, log = () => {}) {
        super(why, 'tempest-why.wasm', 'engine_explain', {
            trial: (at, len) => this.#try(this.bytes(at, len)),
            monotonic: () => BigInt(Math.round(performance.now() * 1e6)),
        }, log);
        this.#sim = sim;
    }

    #try(order) {
        if (this.#engine.isUsedUp) {
            this.#engine = new Engine(this.#sim);
        }
        const answer = this.#engine.trial(this.#manner, order, TRIAL_MS);
        if (answer !== null) {
            this.input(answer);
        }
        this.#tell(this);
        return answer === null ? 0 : answer.length;
    }

    // Of a run that has failed, by its tape; profile and faults are as in open(). It takes its time, and calls
    // tell(this) after each trial.
    explain(scenario, tape, { profile = '', faults = '', tell = () => {} } = {}) {
        this.#engine = new Engine(this.#sim);
        this.#engine.open(scenario, 0, { tape, profile, faults }); // what that refuses cannot be explained
        this.#engine.close();
        const label = this.#engine.label(tape);
        this.#manner = encoder.encode(`${scenario}\n${profile || label.profile}\n${faults || label.faults}`);
        this.#tell = tell;
        this.input(tape);
        this.check(this.exports.engine_explain(tape.length));
        return this.explanation();
    }

    // What is known, also in between; at the end tape() is the smaller run that is explained.
    explanation() {
        return this.json(this.exports.engine_explanation());
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
