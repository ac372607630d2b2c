/** What a finger wants: to see what it writes above the keyboard on the screen, and to push the history away. */
import { setStyle } from "../dom.js";
import { closeBySwipe } from "../ui/swipe.js";
/** @import {Chat} from "../chat.js" */

/** Pixels by which a keyboard makes a screen smaller at least; the bars of browsers are smaller. */
const MIN_KEYBOARD = 120;

/** @param {Chat} chat */
export function followTouch(chat) {
  const { node } = chat.frame;
  stayAboveKeyboard(node);
  closeBySwipe(node, {
    toward: "end",
    find({ target }) {
      const { history } = chat.frame;
      const isWriting = target instanceof Element && target.matches("input, textarea");
      return history?.isOpen && !isWriting && history.node.contains(/** @type {Node} */ (target)) ? history.node : null;
    },
    onSwiped: () => chat.hideHistory(),
  });
}

/**
 * Most browsers lay a keyboard over the page, and tell of it in the visual viewport alone.
 *
 * @param {HTMLElement} frame
 */
function stayAboveKeyboard(frame) {
  const view = globalThis.visualViewport;
  if (!view) return;
  const fit = () => {
    const page = document.documentElement.clientHeight;
    const { bottom } = frame.getBoundingClientRect();
    // Who has zoomed in moves about in all of it; and what ends below the window is scrolled to.
    const isCovered = view.scale < 1.01 && page - view.height > MIN_KEYBOARD && bottom < page + 1;
    const covered = isCovered && frame.matches(":focus-within") ? bottom - view.offsetTop - view.height : 0;
    setStyle(frame, "--keyboard", covered > 0 ? `${covered}px` : null);
  };
  view.addEventListener("resize", fit);
  view.addEventListener("scroll", fit);
  frame.addEventListener("focusin", fit);
  fit();
}
