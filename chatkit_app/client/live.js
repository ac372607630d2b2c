/**
 * Hears that the thread on the page has changed: in another tab, in another process, by a person of the staff.
 *
 * A socket tells that there is something, never what; that is read from the endpoint. Where there are no sockets, it is
 * asked now and then.
 */
import { Line } from "./line.js";

/** Milliseconds within which others are told once that somebody types. */
const TYPING_INTERVAL = 2_000;

/**
 * @typedef {object} Listener
 * @property {() => boolean} isGone nobody is there any more
 * @property {() => number|undefined} version what the page knows of the thread; undefined for a client that does not say
 * @property {() => unknown} onNews there is something to read
 * @property {(name: string) => void} onTyping
 * @property {() => void} [onReturn] the server, which was gone, is there again
 */

export class Live {
  #listener;
  #line;
  /** @type {string|null} */
  #thread = null;
  #typedAt = 0;

  /**
   * @param {string|null} path the socket's; null where there are none
   * @param {Listener} listener
   */
  constructor(path, listener) {
    this.#listener = listener;
    this.#line = new Line(path, {
      isGone: listener.isGone,
      onOpen: (isBack) => {
        this.#sendFollow();
        if (isBack) listener.onReturn?.();
      },
      onTold: (told) => this.#hear(told),
      onMissed: listener.onNews,
      onSight: () => this.#sendHidden(),
    });
  }

  /** @param {string|null} thread the thread that is shown; null for none */
  follow(thread) {
    if (thread === this.#thread) return;
    if (this.#thread) this.#line.send({ unfollow: this.#thread });
    this.#thread = thread;
    if (!thread) this.#line.end();
    else {
      this.#sendFollow();
      this.#line.begin();
    }
  }

  /** Somebody types in the thread that is shown. */
  type() {
    const now = Date.now();
    if (!this.#thread || now - this.#typedAt < TYPING_INTERVAL) return;
    this.#typedAt = now;
    this.#line.send({ typing: this.#thread });
  }

  /** @param {any} told */
  #hear(told) {
    if (told.type === "ping") {
      const version = told.threads?.[this.#thread ?? ""];
      if (version > (this.#listener.version() ?? version)) this.#listener.onNews();
    } else if (told.thread === this.#thread) {
      if (told.type === "changed") this.#listener.onNews();
      else if (told.type === "typing") this.#listener.onTyping(String(told.name));
    }
  }

  #sendFollow() {
    if (document.hidden) this.#sendHidden();
    this.#line.send({ follow: this.#thread, after: this.#listener.version() });
  }
  /** What is out of sight is not seen. */
  #sendHidden() {
    this.#line.send({ hidden: document.hidden });
  }
}
