/**
 * Hears that the thread on the page has changed: in another tab, in another process, by a person of the staff.
 *
 * A socket tells that there is something, never what; that is read from the endpoint. Where there are no sockets, it is
 * asked now and then.
 */

/** Milliseconds before a socket that has gone is opened again; twice as long after each attempt that fails. */
const MIN_DELAY = 1_000;
const MAX_DELAY = 30_000;
/** Milliseconds after which a socket of which nothing was heard is dead: it is pinged every 25 seconds. */
const SILENCE = 60_000;
/** So many attempts that come to nothing, and the page asks by itself; a socket is tried again now and then. */
const MAX_REFUSALS = 2;
const POLL_INTERVAL = 20_000;
const POLL_INTERVAL_HIDDEN = 60_000;

/** The close code of a site that has no sockets. */
const NOT_HERE = 4404;

/**
 * @typedef {object} Listener
 * @property {() => boolean} isGone nobody is there any more
 * @property {() => number|undefined} version what the page knows of the thread; undefined for a client that does not say
 * @property {() => unknown} onNews there is something to read
 * @property {(name: string) => void} onTyping
 */

export class Live {
  #url;
  #listener;
  /** @type {string|null} */
  #thread = null;
  /** @type {WebSocket|null} */
  #socket = null;
  #refusals = 0;
  #heardAt = 0;
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #timer;
  #isListening = false;

  /**
   * @param {string|null} path the socket's; null where there are none
   * @param {Listener} listener
   */
  constructor(path, listener) {
    const url = path && new URL(path, document.baseURI);
    if (url) url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    this.#url = url && url.href;
    this.#listener = listener;
  }

  /** @param {string|null} thread the thread that is shown; null for none */
  follow(thread) {
    if (thread === this.#thread) return;
    if (this.#thread) this.#send({ unfollow: this.#thread });
    this.#thread = thread;
    if (!thread) this.#close();
    else if (this.#socket) this.#sendFollow();
    else this.#open();
    this.#listen(thread !== null);
  }

  #open() {
    clearTimeout(this.#timer);
    if (!this.#url) {
      this.#refusals = MAX_REFUSALS;
      this.#poll();
      return;
    }
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    let isUsed = false;
    socket.onopen = () => this.#sendFollow();
    socket.onmessage = ({ data }) => {
      if (this.#listener.isGone()) {
        this.follow(null);
        return;
      }
      isUsed = true;
      this.#refusals = 0;
      this.#heardAt = Date.now();
      this.#hear(JSON.parse(data));
    };
    socket.onclose = ({ code }) => {
      if (socket !== this.#socket) return;
      this.#socket = null;
      if (!isUsed) this.#refusals += code === NOT_HERE ? MAX_REFUSALS : 1;
      if (this.#refusals >= MAX_REFUSALS) this.#poll();
      else this.#timer = setTimeout(() => this.#open(), this.#delay());
    };
  }

  #close() {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    // One that is closed before it is open is an error in the browser's console.
    if (socket?.readyState === WebSocket.CONNECTING) socket.onopen = () => socket.close();
    else socket?.close();
  }

  /** After a deployment a thousand pages come back: not all at once. */
  #delay() {
    const delay = Math.min(MAX_DELAY, MIN_DELAY * 2 ** this.#refusals);
    return delay / 2 + (Math.random() * delay) / 2;
  }

  #poll() {
    clearTimeout(this.#timer);
    const interval = document.hidden ? POLL_INTERVAL_HIDDEN : POLL_INTERVAL;
    this.#timer = setTimeout(() => {
      if (this.#listener.isGone()) {
        this.follow(null);
        return;
      }
      this.#listener.onNews();
      this.#refusals += 1;
      // Every few minutes: the site may have sockets by now.
      if (this.#url && this.#refusals % 10 === 0) this.#open();
      else this.#poll();
    }, interval);
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
    this.#heardAt = Date.now();
    this.#send({ follow: this.#thread, after: this.#listener.version() });
  }

  /** @param {object} message */
  #send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** Asleep, a page misses what it is told, and its socket may be dead without knowing. */
  #wake = () => {
    if (this.#listener.isGone()) this.follow(null);
    if (document.hidden || !this.#thread) return;
    this.#listener.onNews();
    if (this.#socket && Date.now() - this.#heardAt < SILENCE) return;
    this.#close();
    if (this.#refusals < MAX_REFUSALS) this.#open();
    else this.#poll();
  };

  /** @param {boolean} isWanted */
  #listen(isWanted) {
    if (isWanted === this.#isListening) return;
    this.#isListening = isWanted;
    const change = isWanted ? addEventListener : removeEventListener;
    change("online", this.#wake);
    document[isWanted ? "addEventListener" : "removeEventListener"]("visibilitychange", this.#wake);
  }
}
