/**
 * What comes into a thread while its chat is closed. It is counted, and never shown.
 *
 * @import {PageConfig} from "../config.js"
 * @import {LauncherMemory} from "./memory.js"
 */
import { Live } from "../live.js";

/** What the assistant, or a person in its place, says; the rest tells how it came to it. */
const SAID = new Set(["assistant_message", "widget", "generated_image", "structured_input"]);
/** The largest version there can be: a thread has nothing after it. */
const NEWEST = "9223372036854775807";

export class News {
  #config;
  #thread;
  #memory;
  #onCount;
  #live;
  #version = 0;
  #isOver = false;
  #isReading = false;
  #isStale = false;
  /** @type {Set<string>} the ids of what has come */
  #items = new Set();

  /**
   * @param {PageConfig} config
   * @param {string} thread
   * @param {LauncherMemory} memory
   * @param {(count: number) => void} onCount
   */
  constructor(config, thread, memory, onCount) {
    this.#config = config;
    this.#thread = thread;
    this.#memory = memory;
    this.#onCount = onCount;
    this.#live = new Live(config.socketUrl, {
      isGone: () => this.#isOver,
      version: () => this.#version,
      onNews: () => this.#read(),
      onTyping: () => {},
    });
  }

  async start() {
    const seen = this.#memory.seen(this.#thread);
    const version = seen ?? (await this.#changes(NEWEST))?.version;
    if (version === undefined || this.#isOver) return;
    this.#memory.keepSeen(this.#thread, version);
    this.#version = version;
    this.#live.follow(this.#thread);
    if (seen !== null) await this.#read();
  }

  stop() {
    this.#isOver = true;
    this.#live.follow(null);
  }

  /** Of what happens while it is being read, it is told once more. */
  async #read() {
    this.#isStale = true;
    if (this.#isReading) return;
    this.#isReading = true;
    while (this.#isStale && !this.#isOver) {
      this.#isStale = false;
      const news = await this.#changes(String(this.#version));
      if (news && !this.#isOver) this.#take(news);
    }
    this.#isReading = false;
  }

  /** @param {any} news */
  #take({ version, reset, thread, removed = [] }) {
    this.#version = version;
    if (reset) {
      this.#onCount(Infinity);
      return;
    }
    for (const { id, type } of thread.items.data) if (SAID.has(type)) this.#items.add(id);
    for (const id of removed) this.#items.delete(id);
    this.#onCount(this.#items.size);
  }

  /**
   * @param {string} after a version
   * @returns {Promise<any>} null when there is no answer: there will be another bell, or another page
   */
  async #changes(after) {
    const { changesUrl, runPlaceholder, locale } = this.#config;
    const url = `${changesUrl.replace(runPlaceholder, encodeURIComponent(this.#thread))}?after=${after}`;
    try {
      const response = await fetch(url, { headers: { "X-ChatKit-Locale": locale } });
      if (response.ok) return await response.json();
      // It was deleted, or is somebody else's by now.
      if (response.status < 500) this.stop();
    } catch {
      // Offline.
    }
    return null;
  }
}
