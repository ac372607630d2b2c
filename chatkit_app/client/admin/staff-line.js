/**
 * The page's one line to the site. All scripts of a page of the admin share it, whichever of them comes first.
 *
 * It dispatches what a socket tells under its type (`changed`, `people`, `typing`, `ping`, `absent`; `detail` is all
 * of it), `missed` when there may be something that was not told: now and then where there are no sockets, and `lost`
 * when the socket has gone.
 */
import { Line } from "../line.js";

/** Milliseconds within which others are told once that somebody types. */
const TYPING_INTERVAL = 2_000;

export class StaffLine extends EventTarget {
  #line;
  /** @type {number|null} the key of the thread whose page it is */
  #thread = null;
  #typedAt = 0;

  constructor() {
    super();
    const path = document.getElementById("chatkit-staff")?.dataset.socket ?? null;
    this.#line = new Line(path, {
      isGone: () => false,
      onOpen: () => this.#sendOpen(),
      onLost: () => this.#dispatch("lost"),
      onTold: (told) => this.#dispatch(told.type, told),
      onMissed: () => this.#dispatch("missed"),
    });
    this.#line.begin();
  }

  /** There is no socket at the moment. */
  get isPolling() {
    return !this.#line.isOpen;
  }

  /** @param {number} thread the key of the thread whose page this is */
  open(thread) {
    this.#thread = thread;
    this.#sendOpen();
  }

  /** Somebody types in the thread whose page this is. */
  type() {
    const now = Date.now();
    if (now - this.#typedAt < TYPING_INTERVAL) return;
    this.#typedAt = now;
    this.#line.send({ typing: this.#thread });
  }

  #sendOpen() {
    if (this.#thread === null || !this.#line.isOpen) return;
    this.#line.send({ open: this.#thread });
    // What has happened while there was no socket.
    this.#dispatch("missed");
  }

  /**
   * @param {string} type
   * @param {unknown} [detail]
   */
  #dispatch(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** @returns {StaffLine} */
export function staffLine() {
  return (window.chatkitStaffLine ??= new StaffLine());
}
