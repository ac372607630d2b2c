/** One answer that is being read: to its end, also when the connection breaks on the way. */
import { TransportError } from "./transport.js";
/** @import {Stream, Transport} from "./transport.js" */

/** Milliseconds between attempts to get a lost answer back; the last one is repeated. */
const DELAYS = [300, 1_000, 2_000, 4_000, 8_000, 15_000];
const MAX_ATTEMPTS = 40;
/** How often what a server that ends has not taken is sent again: about 15 seconds long. */
const MAX_RESTARTS = 5;
/** Milliseconds after which a browser that says it is offline is not believed. */
const OFFLINE_PATIENCE = 60_000;

export class Answer {
  /** The connection is lost, and looked for. */
  isReconnecting = false;
  /** @type {unknown} what ended it before its time */
  error = null;
  /** @type {string|null} its id, as far as it is known */
  run = null;
  /** Nobody reads it any more. */
  wasLeft = false;
  /** It was written without us, and cannot be read again: the thread has what there is of it. */
  isMissed = false;

  #transport;
  #onEvent;
  #onChange;
  #controller = new AbortController();
  /** How many effects the page has been told of. */
  #effects = 0;
  /** @type {(() => void)|undefined} ends what is being waited before the next attempt */
  #endPause;

  /**
   * @param {Transport} transport
   * @param {{onEvent: (event: any) => void, onChange: () => void}} listeners
   */
  constructor(transport, { onEvent, onChange }) {
    this.#transport = transport;
    this.#onEvent = onEvent;
    this.#onChange = onChange;
  }

  get wasStopped() {
    return this.#isAborted && !this.wasLeft;
  }

  get #isAborted() {
    return this.#controller.signal.aborted;
  }

  stop() {
    this.#controller.abort();
  }

  /** There is a connection again, or somebody does not want to wait any longer. */
  tryNow() {
    this.#endPause?.();
  }

  /** Read no further, and let it be written. */
  leave() {
    if (this.#isAborted) return;
    this.wasLeft = true;
    // With a reason it is no Stop to the page's `api.fetch`.
    this.#controller.abort(new DOMException("Nobody reads on.", "InvalidStateError"));
  }

  /**
   * Read it; never rejects.
   *
   * @param {(signal: AbortSignal) => Promise<Stream|null>} open
   */
  async read(open) {
    try {
      await this.#consume(await this.#open(open));
    } catch (error) {
      this.error = error;
      await this.#recover();
    }
    this.isReconnecting = false;
  }

  /**
   * A server that is being restarted has stored nothing yet, and the next one is there in a moment.
   *
   * @param {(signal: AbortSignal) => Promise<Stream|null>} open
   * @returns {Promise<Stream|null>}
   */
  async #open(open) {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await open(this.#controller.signal);
      } catch (error) {
        const isRestarting = error instanceof TransportError && error.status === 503;
        if (!isRestarting || attempt === MAX_RESTARTS || this.#isAborted) throw error;
      }
      this.isReconnecting = true;
      this.#onChange();
      await this.#pause(DELAYS[attempt]);
      this.isReconnecting = false;
    }
  }

  /**
   * The server goes on without us: follow its run from the beginning. What is in it already is shown again in place.
   */
  async #recover() {
    for (let attempt = 0; attempt < MAX_ATTEMPTS && this.#canRecover; attempt += 1) {
      this.isReconnecting = true;
      this.#onChange();
      await this.#pause(DELAYS[attempt] ?? DELAYS[DELAYS.length - 1]);
      if (this.#isAborted) return;
      try {
        const run = /** @type {string} */ (this.run);
        const events = await this.#transport.follow(run, this.#controller.signal);
        this.isReconnecting = false;
        if (events && (await this.#consume({ run, events }))) this.error = null;
        else this.isMissed = true;
        return;
      } catch (error) {
        this.error = error;
      }
    }
  }

  get #canRecover() {
    const { error } = this;
    const isLost = error instanceof TransportError && (error.status === 0 || error.status >= 500);
    return isLost && !this.#isAborted && this.run !== null && this.#transport.canFollow;
  }

  /**
   * @param {Stream|null} stream
   * @returns {Promise<boolean>} whether there was anything in it
   */
  async #consume(stream) {
    if (!stream) return false;
    this.run = stream.run;
    let effects = 0;
    let isEmpty = true;
    for await (const event of stream.events) {
      isEmpty = false;
      // An answer that is read again from its beginning has its effects behind it.
      if (event?.type === "client_effect" && ++effects <= this.#effects) continue;
      this.#effects = Math.max(this.#effects, effects);
      this.#onEvent(event);
    }
    return !isEmpty;
  }

  /**
   * Resolves after some time, or once it is tried; while the browser knows that it is offline, once it is back.
   *
   * @param {number} milliseconds
   * @returns {Promise<void>}
   */
  #pause(milliseconds) {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        removeEventListener("online", done);
        resolve();
      };
      const timer = setTimeout(done, navigator.onLine ? milliseconds : OFFLINE_PATIENCE);
      addEventListener("online", done);
      this.#controller.signal.addEventListener("abort", done, { once: true });
      this.#endPause = done;
    });
  }
}
