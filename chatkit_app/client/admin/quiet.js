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
  let wasTaken = false;
  try {
    const response = await fetch(form.action, { method: "POST", body: new FormData(form, submitter), headers: QUIET });
    // A login page, say, is no answer of ours.
    const isOurs = response.headers.get("Content-Type")?.startsWith("application/json") ?? false;
    const told = isOurs ? await response.json() : {};
    wasTaken = isOurs && response.ok;
    if (wasTaken) say(told.messages.map((/** @type {{text: string}} */ { text }) => text).join(" "));
    else complain(told.errors?.join(" ") || strings.refused);
  } catch (error) {
    console.warn("A form could not be sent.", error);
    complain(strings.offline);
  }
  form.removeAttribute("aria-busy");
  if (wasTaken) form.reset();
  form.dispatchEvent(new CustomEvent(wasTaken ? "chatkit:sent" : "chatkit:unsent", { bubbles: true }));
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
