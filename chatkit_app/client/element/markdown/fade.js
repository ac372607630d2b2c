/** Words that fade in as they are written: the text has its end in highlights, and no node is made for a word. */
import { addStyles } from "../style-sheet.js";
import { fadeStyles } from "./fade.css.js";

addStyles({ fade: fadeStyles });

/** From a beginning to the text as it is, in as many steps as fade.css.js has. */
const STEPS = 4;
const STEP = 60;
/** A step is taken together with the next words, if these come before so many milliseconds more. */
const PATIENCE = 40;
/** What comes at once in greater numbers is no word that is being written. */
const MAX_CHARACTERS = 400;

const canFade = typeof Highlight === "function" && Boolean(CSS.highlights);
const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** @typedef {{ranges: StaticRange[], born: number, step: number}} Fresh */

/** @type {Fresh[]} what is fading in */
let fresh = [];
/** @type {ReturnType<typeof setTimeout>|undefined} */
let timer;

/** @param {number} step @returns {Highlight} the page's, for what is at a step */
function highlightOf(step) {
  const name = `chatkit-fresh-${step}`;
  let highlight = CSS.highlights.get(name);
  if (!highlight) {
    highlight = new Highlight();
    // Over the colours of code.
    highlight.priority = 1;
    CSS.highlights.set(name, highlight);
  }
  return highlight;
}

/**
 * Let the end of a text fade in.
 *
 * @param {HTMLElement} node
 * @param {number} count of its last characters
 */
export function fadeIn(node, count) {
  if (!canFade || calm.matches || document.hidden || count > MAX_CHARACTERS) return;
  const walker = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
  let text = /** @type {Text|null} */ (lastOf(walker));
  /** @type {StaticRange[]} */
  const ranges = [];
  for (
    let left = count;
    text && left > 0;
    left -= text.length, text = /** @type {Text|null} */ (walker.previousNode())
  ) {
    const startOffset = Math.max(0, text.length - left);
    ranges.push(new StaticRange({ startContainer: text, startOffset, endContainer: text, endOffset: text.length }));
  }
  for (const range of ranges) highlightOf(0).add(range);
  fresh.push({ ranges, born: performance.now(), step: 0 });
  goOn();
}

/** @param {TreeWalker} walker @returns {Node|null} its last text */
function lastOf(walker) {
  /** @type {Node} */
  let last = walker.root;
  while (last.lastChild) last = last.lastChild;
  walker.currentNode = last;
  return last instanceof Text ? last : walker.previousNode();
}

function goOn() {
  const now = performance.now();
  for (const one of fresh) {
    const step = Math.floor((now - one.born) / STEP);
    if (step <= one.step) continue;
    for (const range of one.ranges) {
      highlightOf(one.step).delete(range);
      if (step < STEPS) highlightOf(step).add(range);
    }
    one.step = step;
  }
  fresh = fresh.filter(({ step }) => step < STEPS);
  clearTimeout(timer);
  if (fresh.length) timer = setTimeout(goOn, STEP + PATIENCE);
}
