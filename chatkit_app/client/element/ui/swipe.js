/** A panel that goes with the finger, and away if the finger goes far or fast enough. */
import { setStyle } from "../dom.js";

/** Pixels before it is known what a finger is about to do. */
const SLOP = 8;
/** How far a panel has to be moved: this part of its length, or so many pixels if it is done in a flick. */
const FAR = 0.35;
const FLICK = 48;
/** Pixels per millisecond. */
const FAST = 0.5;
const RETURN = 180;

const calm = matchMedia("(prefers-reduced-motion: reduce)");

/**
 * Have a panel closed by a swipe: down, or from the start of a line to its end.
 *
 * What can be swiped needs a `touch-action` that leaves this direction to us.
 *
 * @param {HTMLElement} area where the finger may be
 * @param {object} how
 * @param {"down"|"end"} how.toward
 * @param {(event: PointerEvent) => HTMLElement|null|undefined} how.find the panel for a finger that has come down, if it
 *   is to be moved
 * @param {() => void} how.onSwiped closes it
 */
export function closeBySwipe(area, { toward, find, onSwiped }) {
  area.addEventListener("pointerdown", (event) => {
    const panel = event.isPrimary && event.pointerType !== "mouse" ? find(event) : null;
    if (panel) new Swipe(area, panel, event, toward, onSwiped);
  });
}

class Swipe {
  #controller = new AbortController();
  #hasBegun = false;
  #moved = 0;

  /**
   * @param {HTMLElement} area
   * @param {HTMLElement} panel
   * @param {PointerEvent} start
   * @param {"down"|"end"} toward
   * @param {() => void} onSwiped
   */
  constructor(area, panel, start, toward, onSwiped) {
    this.panel = panel;
    this.start = start;
    this.onSwiped = onSwiped;
    this.isDown = toward === "down";
    this.sign = !this.isDown && panel.matches(":dir(rtl)") ? -1 : 1;
    const { signal } = this.#controller;
    area.addEventListener("pointermove", (event) => this.#isSame(event) && this.#move(event), { signal });
    area.addEventListener("pointerup", (event) => this.#isSame(event) && this.#end(event), { signal });
    // The browser scrolls with it, or something else has happened.
    area.addEventListener("pointercancel", (event) => this.#isSame(event) && this.#leave(), { signal });
  }

  /** @param {PointerEvent} event */
  #isSame({ pointerId }) {
    return pointerId === this.start.pointerId;
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const x = (event.clientX - this.start.clientX) * this.sign;
    const y = event.clientY - this.start.clientY;
    const [along, across] = this.isDown ? [y, x] : [x, y];
    if (!this.#hasBegun) {
      if (Math.abs(across) > SLOP || along < -SLOP) return this.#controller.abort();
      if (along < SLOP) return;
      this.#hasBegun = true;
      setStyle(this.panel, "transition", "none");
    }
    this.#moved = Math.max(0, along);
    setStyle(this.panel, "translate", this.#at(this.#moved));
  }

  /** @param {number} distance */
  #at(distance) {
    return this.isDown ? `0 ${distance}px` : `${distance * this.sign}px`;
  }

  /** @param {PointerEvent} event */
  async #end(event) {
    if (!this.#hasBegun) return this.#controller.abort();
    const length = this.isDown ? this.panel.offsetHeight : this.panel.offsetWidth;
    const isFast = this.#moved > FLICK && this.#moved / (event.timeStamp - this.start.timeStamp) > FAST;
    if (this.#moved < length * FAR && !isFast) return this.#leave();
    this.#controller.abort();
    await this.#glide(length);
    this.onSwiped();
    this.#rest();
  }

  async #leave() {
    this.#controller.abort();
    if (!this.#hasBegun) return;
    await this.#glide(0);
    this.#rest();
  }

  /** The next time, the panel is where it belongs; and it does not go there before anybody's eyes. */
  #rest() {
    setStyle(this.panel, "translate", null);
    this.panel.getBoundingClientRect();
    setStyle(this.panel, "transition", null);
  }

  /** @param {number} distance */
  async #glide(distance) {
    setStyle(this.panel, "translate", this.#at(distance));
    if (calm.matches) return;
    const steps = { translate: [this.#at(this.#moved), this.#at(distance)] };
    // It rejects when the panel goes meanwhile.
    await this.panel.animate(steps, { duration: RETURN, easing: "ease-out" }).finished.catch(() => {});
  }
}
