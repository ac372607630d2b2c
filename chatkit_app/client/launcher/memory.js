/** What a launcher remembers: whether it was open, in the browser's tab, and what has been seen of its thread. */
import { ThreadMemory } from "../thread-memory.js";

export class LauncherMemory {
  #chat;
  #tab;

  /** @param {{storage: "session"|"local", key: string}} persist that of the chat */
  constructor(persist) {
    this.#chat = new ThreadMemory(persist);
    this.#tab = new ThreadMemory({ ...persist, storage: "session" });
  }

  get thread() {
    return this.#chat.thread;
  }

  get isOpen() {
    return this.#tab.read("open") !== null;
  }

  set isOpen(isOpen) {
    this.#tab.write("open", isOpen ? "1" : null);
  }

  /**
   * @param {string} thread
   * @returns {number|null} the version up to which a thread has been seen; null for all that is there
   */
  seen(thread) {
    const [of, version] = (this.#chat.read("seen") ?? "").split(" ");
    return of === thread && version ? Number(version) : null;
  }

  /**
   * @param {string} thread
   * @param {number} version
   */
  keepSeen(thread, version) {
    this.#chat.write("seen", `${thread} ${version}`);
  }

  forgetSeen() {
    this.#chat.write("seen", null);
  }
}
