/* engine.js - the simulator's module, as an object. One engine holds one run; its whole state is the
 * first `used` bytes of its memory. The module's contract: docs/wasm.md. */

const ABI = 1;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class EngineError extends Error {}

export class Engine {
  /* `module`: a WebAssembly.Module, which many engines can share. */
  constructor(module) {
    this.said = "";
    const instance = new WebAssembly.Instance(module, {tempest_host: {
      log: (level, at, length) => {
        const text = decoder.decode(new Uint8Array(this.memory.buffer, at, length).slice());
        if (level >= 3)
          this.said = text;
      },
    }});
    this.calls = instance.exports;
    this.memory = instance.exports.memory;
    this.calls._initialize();
    if (this.calls.engine_abi() !== ABI)
      throw new EngineError(`the module speaks version ${this.calls.engine_abi()}, this page version ${ABI}`);
  }

  output() {
    const at = this.calls.engine_output();
    return new Uint8Array(this.memory.buffer, at, this.calls.engine_output_bytes());
  }

  text() {
    return decoder.decode(this.output());
  }

  /* A call that says in a sentence why it could not be done. */
  check(result) {
    if (result < 0)
      throw new EngineError(this.text());
    return result;
  }

  input(bytes) {
    const at = this.calls.engine_input(bytes.length);
    if (at === 0)
      throw new EngineError("this file is too large to be a tape");
    new Uint8Array(this.memory.buffer, at, bytes.length).set(bytes);
  }

  list() {
    this.check(this.calls.engine_list());
    return JSON.parse(this.text());
  }

  /* setting: {scenario, profile, faults, seed (a decimal string), tape (bytes, or null)} */
  open(setting) {
    const text = encoder.encode([setting.scenario, setting.profile, setting.faults].join("\n"));
    if (!setting.tape) {
      this.input(text);
      this.check(this.calls.engine_open(text.length, BigInt.asIntN(64, BigInt(setting.seed))));
      return;
    }
    const both = new Uint8Array(text.length + setting.tape.length);
    both.set(text);
    both.set(setting.tape, text.length);
    this.input(both);
    this.check(this.calls.engine_open_tape(text.length, setting.tape.length));
  }

  step(events) {
    return this.check(this.calls.engine_step(events, -1n));
  }

  get over() {
    return this.calls.engine_over() === 1;
  }

  stateText() {
    this.check(this.calls.engine_state());
    return this.text();
  }

  facts(from) {
    this.check(this.calls.engine_facts(BigInt(from)));
    return JSON.parse(this.text());
  }

  /* Facts other than operations, numbered by themselves. */
  marks(from) {
    this.check(this.calls.engine_marks(BigInt(from)));
    return JSON.parse(this.text());
  }

  act(act) {
    this.check(this.calls.engine_act(act.kind, act.node, act.other, BigInt(act.span_ns)));
  }

  tape() {
    this.check(this.calls.engine_tape());
    return this.output().slice();
  }

  explainBegin() {
    this.check(this.calls.engine_explain_begin());
  }

  explainStep() {
    return this.check(this.calls.engine_explain_step()) === 1;
  }

  explainTrapped() {
    this.check(this.calls.engine_explain_trapped());
  }

  explanation() {
    this.check(this.calls.engine_explanation());
    return JSON.parse(this.text());
  }

  save() {
    return new Uint8Array(this.memory.buffer, 0, this.calls.engine_used()).slice();
  }

  /* What lies behind the snapshot was zero when it was taken. */
  restore(bytes) {
    const memory = new Uint8Array(this.memory.buffer);
    const used = this.calls.engine_used();
    memory.set(bytes);
    if (used > bytes.length)
      memory.fill(0, bytes.length, used);
  }
}
