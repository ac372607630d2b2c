/**
 * A socket that comes back when it has gone. Where there are none, the page asks by itself now and then.
 *
 * It tells that there is something, never what.
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
 * @property {(isBack: boolean) => void} onOpen the socket is open, and knows nothing of the page yet; it had been before
 * @property {() => void} [onLost] the socket has gone: what was told of the moment may not be so any more
 * @property {(told: any) => void} onTold
 * @property {() => void} [onSight] the page has gone out of sight, or has come back
 * @property {() => unknown} onMissed there may be something to read that was not told
 */

export class Line {
  #url;
  #listener;
  /** @type {WebSocket|null} */
  #socket = null;
  #refusals = 0;
  /** It has been there: a server that is started anew is not a site without sockets. */
  #hasWorked = false;
  #heardAt = 0;
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #timer;
  #isWanted = false;

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

  /** Begin, unless it has begun. */
  begin() {
    if (this.#isWanted) return;
    this.#isWanted = true;
    this.#listen(true);
    this.#open();
  }

  end() {
    if (!this.#isWanted) return;
    this.#isWanted = false;
    this.#listen(false);
    this.#close();
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** @param {object} message it is lost where there is no socket: what matters is told by `onOpen` again */
  send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
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
    socket.onopen = () => {
      this.#heardAt = Date.now();
      this.#listener.onOpen(this.#hasWorked);
    };
    socket.onmessage = ({ data }) => {
      if (this.#isGone()) return;
      isUsed = this.#hasWorked = true;
      this.#refusals = 0;
      this.#heardAt = Date.now();
      this.#listener.onTold(JSON.parse(data));
    };
    socket.onclose = ({ code }) => {
      if (socket !== this.#socket) return;
      this.#socket = null;
      this.#listener.onLost?.();
      if (!isUsed) this.#refusals += code === NOT_HERE ? MAX_REFUSALS : 1;
      if (code === NOT_HERE) this.#hasWorked = false;
      if (this.#isGivenUp) this.#poll();
      else this.#timer = setTimeout(() => this.#tryAgain(), this.#delay());
    };
  }

  get #isGivenUp() {
    return this.#refusals >= MAX_REFUSALS && !this.#hasWorked;
  }

  #tryAgain() {
    if (this.#isGone()) return;
    // It takes a while by now: what happens is not to wait for it.
    if (this.#refusals >= MAX_REFUSALS) this.#listener.onMissed();
    this.#open();
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
      if (this.#isGone()) return;
      this.#listener.onMissed();
      this.#refusals += 1;
      // Every few minutes: the site may have sockets by now.
      if (this.#url && this.#refusals % 10 === 0) this.#open();
      else this.#poll();
    }, interval);
  }

  #isGone() {
    if (!this.#listener.isGone()) return false;
    this.end();
    return true;
  }

  /** Asleep, a page misses what it is told, and its socket may be dead without knowing. */
  #wake = () => {
    if (this.#isGone()) return;
    this.#listener.onSight?.();
    if (document.hidden) return;
    this.#listener.onMissed();
    if (this.#socket && Date.now() - this.#heardAt < SILENCE) return;
    this.#close();
    if (this.#isGivenUp) this.#poll();
    else this.#open();
  };

  /** @param {boolean} isWanted */
  #listen(isWanted) {
    const change = isWanted ? addEventListener : removeEventListener;
    change("online", this.#wake);
    document[isWanted ? "addEventListener" : "removeEventListener"]("visibilitychange", this.#wake);
  }
}
