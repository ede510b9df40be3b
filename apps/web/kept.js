/* kept.js - the runs that no link leads to, for Back, Forward and reload: an entry of the history has the key of one. They
 * are here for as long as the page is, and what fits goes into the tab's storage when it is left. */

const BYTES_MAX = 64 << 20; /* of tapes, here */
const CHARACTERS_MAX = 4 << 20; /* there: browsers give five million */
const ITEM = "tempest-kept";
const PIECE = 0x8000; /* bytes that are made text at once */

function toText(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += PIECE)
    text += String.fromCharCode(...bytes.subarray(at, at + PIECE));
  return btoa(text);
}

const toBytes = text => Uint8Array.from(atob(text), character => character.charCodeAt(0));
const bytesOf = ({tape}) => tape ? tape.bytes.length : 0;

export class Kept {
  #runs = new Map(); /* by key; who was kept last is the last */
  #storage; /* a function: where storage is forbidden, even to name it is an error */
  #life; /* of this page: no other has the same keys */
  #count = 0;

  constructor(storage, life) {
    this.#storage = storage;
    this.#life = life;
    try {
      for (const [key, {tape, ...run}] of JSON.parse(storage().getItem(ITEM)) || [])
        this.#runs.set(key, {...run, tape: tape && {...tape, bytes: toBytes(tape.bytes)}});
    } catch {
      this.#runs.clear(); /* there is no storage, or somebody else writes into it */
    }
  }

  /* `run`: {setting, tape, clicks, at}. In place of what had the key, or with a new one, which is returned. */
  keep(run, key = `${this.#life}.${++this.#count}`) {
    this.#runs.delete(key);
    this.#runs.set(key, run);
    let bytes = [...this.#runs.values()].reduce((sum, each) => sum + bytesOf(each), 0);
    for (const [oldest, each] of this.#runs) {
      if (bytes <= BYTES_MAX)
        break;
      bytes -= bytesOf(each);
      this.#runs.delete(oldest);
    }
    return key;
  }

  find(key) {
    return this.#runs.get(key);
  }

  /* The latest, as many as fit. */
  store() {
    const parts = [];
    let characters = 0;
    for (const [key, {tape, ...run}] of [...this.#runs].reverse()) {
      if (characters + bytesOf({tape}) * 4 / 3 > CHARACTERS_MAX)
        break;
      parts.unshift(JSON.stringify([key, {...run, tape: tape && {...tape, bytes: toText(tape.bytes)}}]));
      characters += parts[0].length;
    }
    try {
      this.#storage().setItem(ITEM, `[${parts.join(",")}]`);
    } catch {
      /* Then they end with the page. */
    }
  }
}
