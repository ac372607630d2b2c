/** What floats above everything else: at a button, a caret or a word, within the window. */

const GAP = 6;

/**
 * @typedef {object} Rectangle
 * @property {number} top
 * @property {number} bottom
 * @property {number} left
 * @property {number} right
 */

/**
 * @param {HTMLElement} popover
 * @returns {boolean}
 */
export function isShown(popover) {
  return popover.isConnected && popover.matches(":popover-open");
}

/**
 * Put an open popover below an anchor, or above it where there is more room.
 *
 * @param {HTMLElement} popover
 * @param {Rectangle} anchor in pixels of the window
 * @param {{above?: boolean, alignEnd?: boolean}} [options] what to prefer
 */
export function place(popover, anchor, { above = false, alignEnd = false } = {}) {
  // With a keyboard on the screen, less is seen than the window holds.
  const { offsetTop = 0, height = innerHeight } = window.visualViewport ?? {};
  const width = document.documentElement.clientWidth;
  popover.style.left = popover.style.top = "0";
  const size = popover.getBoundingClientRect();
  const roomBelow = offsetTop + height - anchor.bottom - GAP;
  const roomAbove = anchor.top - offsetTop - GAP;
  const fits = (/** @type {number} */ room) => size.height <= room;
  const goesUp = above ? fits(roomAbove) || roomAbove > roomBelow : !fits(roomBelow) && roomAbove > roomBelow;
  const isRightToLeft = getComputedStyle(popover).direction === "rtl";
  const left = alignEnd !== isRightToLeft ? anchor.right - size.width : anchor.left;
  const top = goesUp ? anchor.top - GAP - size.height : anchor.bottom + GAP;
  const within = (/** @type {number} */ value, /** @type {number} */ from, /** @type {number} */ to) =>
    Math.max(from + GAP, Math.min(value, to - GAP));
  popover.style.left = `${within(left, 0, width - size.width)}px`;
  popover.style.top = `${within(top, offsetTop, offsetTop + height - size.height)}px`;
}

/**
 * Keep it there until it closes, whatever scrolls or changes its size meanwhile.
 *
 * @param {HTMLElement} popover
 * @param {() => Rectangle} anchor
 * @param {{above?: boolean, alignEnd?: boolean}} [options]
 */
export function keepPlaced(popover, anchor, options) {
  const end = new AbortController();
  popover.addEventListener("toggle", () => isShown(popover) || end.abort(), { signal: end.signal });
  const { signal } = end;
  const update = (/** @type {Event} */ event) => {
    // Its own scrolling comes out of the shadow root as the host's.
    // Taken out of the page together with what is around it, it has closed without a word.
    if (!isShown(popover)) end.abort();
    else if (event.composedPath()[0] !== popover) place(popover, anchor(), options);
  };
  addEventListener("scroll", update, { signal, capture: true, passive: true });
  addEventListener("resize", update, { signal });
  window.visualViewport?.addEventListener("resize", update, { signal });
  place(popover, anchor(), options);
}
