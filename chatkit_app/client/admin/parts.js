/**
 * Parts of the page that the server makes: those with `data-chatkit-part`, which names them.
 *
 * The page is read again, and what has changed takes the place of what was there. A part with `data-chatkit-key` is
 * left alone as long as its key is the same, since somebody may have written in it.
 */
import { QUIET } from "./quiet.js";

/** Where one types: what is under somebody's hands stays. */
const FIELD = "textarea, select, input:not([type=submit], [type=button])";
const FOCUSABLE = `a[href], button, summary, ${FIELD}`;

let isReading = false;
let isStale = false;

/** Show what has become of the page's parts. Then `chatkit:parts` is dispatched: some may be new. */
export async function refreshParts() {
  isStale = true;
  if (isReading) return;
  isReading = true;
  try {
    while (isStale) {
      isStale = false;
      replaceParts(await readPage());
    }
  } catch (error) {
    console.warn("The page could not be brought up to date.", error);
  } finally {
    isReading = false;
  }
}

/** @returns {Promise<Document>} the page as the server has it now; nothing in it runs */
export async function readPage() {
  const response = await fetch(location.href, { headers: QUIET });
  if (!response.ok || response.redirected) throw new Error(`The server answers with ${response.status}.`);
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

/** @param {Document} page */
function replaceParts(page) {
  for (const part of document.querySelectorAll("[data-chatkit-part]")) {
    const name = part.getAttribute("data-chatkit-part") ?? "";
    const fresh = page.querySelector(`[data-chatkit-part="${CSS.escape(name)}"]`);
    if (fresh) replacePart(part, fresh);
  }
  const heading = document.querySelector("#content > h1");
  const text = page.querySelector("#content > h1")?.textContent;
  if (heading && text) heading.textContent = text;
  document.dispatchEvent(new CustomEvent("chatkit:parts"));
}

/**
 * @param {Element} part
 * @param {Element} fresh
 */
function replacePart(part, fresh) {
  const key = part.getAttribute("data-chatkit-key");
  if (key !== null && key === fresh.getAttribute("data-chatkit-key")) return;
  if (key === null && (isSame(part, fresh) || part.querySelector(`:is(${FIELD}):focus`))) return;
  const focused = [...part.querySelectorAll(FOCUSABLE)].findIndex((node) => node === document.activeElement);
  for (const { id } of part.querySelectorAll("details[open][id]"))
    fresh.querySelector(`#${id}`)?.setAttribute("open", "");
  part.replaceWith(document.adoptNode(fresh));
  if (focused === -1) return;
  const nodes = /** @type {NodeListOf<HTMLElement>} */ (fresh.querySelectorAll(FOCUSABLE));
  nodes[Math.min(focused, nodes.length - 1)]?.focus({ preventScroll: true });
}

/**
 * @param {Element} part
 * @param {Element} fresh
 */
export function isSame(part, fresh) {
  return plain(part).isEqualNode(plain(fresh));
}

/** @param {Element} part what it is, without what differs in every copy of it */
function plain(part) {
  const copy = /** @type {Element} */ (part.cloneNode(true));
  for (const token of copy.querySelectorAll("[name=csrfmiddlewaretoken]")) token.remove();
  for (const details of copy.querySelectorAll("details")) details.removeAttribute("open");
  return copy;
}
