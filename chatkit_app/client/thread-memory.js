/** What a chat remembers across reloads, in the browser: its thread, and the answer that was being written. */

export class ThreadMemory {
  #key;
  #storage;

  /** @param {{storage: "session"|"local", key: string}|null} persist null remembers nothing */
  constructor(persist) {
    this.#key = persist?.key;
    try {
      if (persist) this.#storage = persist.storage === "local" ? localStorage : sessionStorage;
    } catch {
      // The browser keeps storage from this page; the chat works without a memory.
    }
  }

  get thread() {
    return this.read("thread");
  }

  set thread(id) {
    this.write("thread", id);
  }

  get run() {
    return this.read("run");
  }

  set run(id) {
    this.write("run", id);
  }

  /**
   * @param {string} name
   * @returns {string | null}
   */
  read(name) {
    return this.#storage?.getItem(`${this.#key}:${name}`) ?? null;
  }

  /**
   * @param {string} name
   * @param {string | null} value
   */
  write(name, value) {
    try {
      if (value === null) this.#storage?.removeItem(`${this.#key}:${name}`);
      else this.#storage?.setItem(`${this.#key}:${name}`, value);
    } catch {
      // Full storage: the same as none.
    }
  }
}
