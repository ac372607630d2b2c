/** One turn of the assistant: what it tells while it answers, and how it has failed. Its items go into the thread. */
import { TransportError } from "./transport.js";
import { asLabel, asObject, asText } from "./values.js";
/** @import {AnyItem} from "./items.js" */
/** @import {LoadedThread} from "./loaded-thread.js" */

/**
 * @typedef {object} Failure
 * @property {string} message what the server said, or ""
 * @property {boolean} network there was no answer
 * @property {boolean} loading the thread could not be read
 * @property {boolean} canRetry
 * @property {boolean} [isOld] it had failed before the thread was loaded
 * @property {boolean} [isKept] there never was one: the question was kept for a person
 */

export class Turn {
  /** @type {{text: string, icon: unknown}|null} what the assistant says it is doing */
  progress = null;
  /** @type {any[]} */
  notices = [];
  /** @type {Failure|null} */
  failure = null;
  wasStopped = false;
  canStop = false;
  /** The answer has changed something in the thread. */
  hasBegun = false;
  /** @type {any} the answer's last call of one of the page's tools */
  toolCall = null;

  #thread;

  /** @param {LoadedThread} thread */
  constructor(thread) {
    this.#thread = thread;
  }

  /** @param {any} event one of the answer's */
  apply(event) {
    this.hasBegun ||= asText(event.type).startsWith("thread.item.");
    switch (event.type) {
      case "thread.created":
      case "thread.updated":
        this.#thread.setThread(event.thread);
        break;
      case "progress_update":
        this.progress = { text: asLabel(event.text), icon: event.icon };
        break;
      case "stream_options":
        this.canStop = asObject(event.stream_options).allow_cancel === true;
        break;
      case "client_effect":
        this.#thread.emit("effect", { name: asText(event.name), data: asObject(event.data) });
        break;
      case "notice":
        // Of an answer that is read again, they are there already.
        if (!this.notices.some((notice) => JSON.stringify(notice) === JSON.stringify(event))) {
          this.notices = [...this.notices, event];
        }
        break;
      case "error":
        this.#setFailure({ message: asText(event.message), canRetry: event.allow_retry === true });
        break;
      default:
        if (event.type === "thread.item.done" && event.item?.type === "client_tool_call") this.toolCall = event.item;
        this.goOn(this.#thread.apply(event));
    }
  }

  /** @param {AnyItem|null} item what has been put in; what was told of as progress has come to it */
  goOn(item) {
    if (item && item.type !== "user_message") this.progress = null;
  }

  /**
   * @param {unknown} error
   * @param {{loading?: boolean}} [options]
   */
  fail(error, { loading = false } = {}) {
    const known = error instanceof TransportError ? error : null;
    const network = known?.status === 0;
    // What is missing or forbidden will be so the next time.
    const canRetry = !known || network || known.status >= 500 || known.status === 429;
    this.#setFailure({ message: known ? known.message : "", network, loading, canRetry }, error);
  }

  /**
   * @param {Partial<Failure> & {message: string}} failure
   * @param {unknown} [error]
   */
  #setFailure(failure, error = new Error(failure.message)) {
    this.failure = { network: false, loading: false, canRetry: false, ...failure };
    this.#thread.emit("failure", { error });
  }
}
