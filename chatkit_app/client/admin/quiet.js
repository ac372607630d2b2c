/**
 * Forms that are sent without leaving the page: those with `data-chatkit-quiet`. Where this does not run they are sent as
 * any form is.
 *
 * What has come of one is said at the foot of the page. `chatkit:sent` is dispatched on a form that was taken,
 * `chatkit:unsent` on one that was not.
 */

/** Asks for JSON in place of a page, see `chatkit_app.admin.quiet`. */
export const QUIET = { "X-ChatKit-Quiet": "1" };

/** Milliseconds for which what was said stays. */
const SAID_FOR = 8_000;

/** @type {Record<string, string>} */
let strings = {};
/** @type {ReturnType<typeof setTimeout>|undefined} */
let timer;

/** @param {Record<string, string>} texts */
export function sendQuietly(texts) {
  strings = texts;
  document.addEventListener("submit", (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target);
    if (event.defaultPrevented || !form.matches("form[data-chatkit-quiet]")) return;
    event.preventDefault();
    if (form.getAttribute("aria-busy") !== "true") send(form, event.submitter);
  });
}

/**
 * @param {HTMLFormElement} form
 * @param {HTMLElement|null} submitter
 */
async function send(form, submitter) {
  form.setAttribute("aria-busy", "true");
  const { said, problem } = await post(form.action, new FormData(form, submitter));
  const wasTaken = said !== undefined;
  if (wasTaken) say(said);
  else complain(problem ?? strings.refused);
  form.removeAttribute("aria-busy");
  if (wasTaken) form.reset();
  form.dispatchEvent(new CustomEvent(wasTaken ? "chatkit:sent" : "chatkit:unsent", { bubbles: true }));
}

/**
 * Send a form.
 *
 * @param {string} url
 * @param {FormData} body
 * @returns {Promise<{said?: string, problem?: string, page?: string}>} what was said of it when it was taken, what it
 *   was not taken for, or a page that asks for more
 */
export async function post(url, body) {
  try {
    const response = await fetch(url, { method: "POST", body, headers: QUIET });
    // A login page, say, is no answer of ours.
    const isOurs = response.headers.get("Content-Type")?.startsWith("application/json") ?? false;
    if (!isOurs)
      return response.ok && !response.redirected ? { page: await response.text() } : { problem: strings.refused };
    const told = await response.json();
    if (!response.ok) return { problem: told.errors?.join(" ") || strings.refused };
    return { said: told.messages.map((/** @type {{text: string}} */ { text }) => text).join(" ") };
  } catch (error) {
    console.warn("A form could not be sent.", error);
    return { problem: strings.offline };
  }
}

/** @param {string} text */
export function say(text) {
  show("chatkit-said", text);
}

/** @param {string} text */
export function complain(text) {
  show("chatkit-complaint", text);
}

/**
 * @param {string} id
 * @param {string} text
 */
function show(id, text) {
  clearTimeout(timer);
  const places = [...document.querySelectorAll(".chatkit-told > *")];
  for (const place of places) place.textContent = place.id === id ? text : "";
  if (id === "chatkit-said") timer = setTimeout(() => show(id, ""), SAID_FOR);
}
