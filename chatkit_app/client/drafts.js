/** What somebody has written and not sent yet, across reloads: in this tab, and for them alone. */
import { ThreadMemory } from "./thread-memory.js";
/** @import {UserMessageContent} from "@openai/chatkit" */

export class Drafts {
  #memory;
  #owner;

  /**
   * @param {string} key
   * @param {string|null} owner a name for who is logged in, "" for nobody; null where the page does not know
   */
  constructor(key, owner) {
    this.#memory = new ThreadMemory({ storage: "session", key });
    this.#owner = owner;
    // Another one's, who was logged in before.
    if (this.#kept?.[0] !== owner) this.#memory.write("draft", null);
  }

  /**
   * @param {string|null} thread null for a new chat
   * @returns {UserMessageContent[]|null}
   */
  read(thread) {
    const [, of, content] = this.#kept ?? [];
    return of === thread ? content : null;
  }

  /**
   * @param {string|null} thread
   * @param {UserMessageContent[]|null} content null for nothing
   */
  write(thread, content) {
    if (this.#owner === null) return;
    this.#memory.write("draft", content && JSON.stringify([this.#owner, thread, content]));
  }

  get #kept() {
    return JSON.parse(this.#memory.read("draft") ?? "null");
  }
}
