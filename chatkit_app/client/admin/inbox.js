/**
 * The inbox while it is open: rows change in place, and nothing moves under the cursor. What is new is counted, and comes
 * in when somebody asks for it. Its actions ask in a dialog.
 */
import { ask } from "./dialog.js";
import { isSame, readPage } from "./parts.js";
import { complain, post, say, sendQuietly } from "./quiet.js";
import { beep, wantSound, wantsSound } from "./sound.js";
import { staffLine } from "./staff-line.js";

/** Milliseconds between two looks, however much happens. */
const INTERVAL = 2_000;
/** Milliseconds after which the page looks by itself: a bell may have been lost. */
const LOOK_AFTER = 60_000;
const ROWS = "#result_list tbody tr";

const tools = /** @type {HTMLElement} */ (document.getElementById("chatkit-inbox"));
const button = /** @type {HTMLButtonElement} */ (tools.querySelector("[data-chatkit-new]"));
const sound = /** @type {HTMLInputElement} */ (tools.querySelector("[data-chatkit-sound]"));
/** @type {Document|null} the list as it is now */
let fresh = null;
/** @type {ReturnType<typeof setTimeout>|undefined} */
let timer;
let lookedAt = -Infinity;

/** @param {Element} row */
function keyOf(row) {
  return row.querySelector("a[href]")?.getAttribute("href")?.split("?")[0] ?? "";
}

/** @param {Document} page */
function rowsOf(page) {
  return new Map([...page.querySelectorAll(ROWS)].map((row) => [keyOf(row), row]));
}

async function look() {
  timer = undefined;
  lookedAt = performance.now();
  try {
    fresh = await readPage();
  } catch (error) {
    console.warn("The list could not be brought up to date.", error);
    return;
  }
  const shown = rowsOf(document);
  let added = 0;
  for (const [key, row] of rowsOf(fresh)) {
    const before = shown.get(key);
    if (before) updateRow(before, row);
    else added += 1;
  }
  button.hidden = added === 0;
  button.textContent = (tools.dataset.new ?? "").replace("{count}", String(added));
}

/**
 * @param {Element} row
 * @param {Element} now
 */
function updateRow(row, now) {
  [...row.children].forEach((cell, index) => {
    const next = now.children[index];
    // The box of a row that was ticked stays as it is.
    if (!next || cell.querySelector("input") || isSame(cell, next)) return;
    const hadFocus = cell.contains(document.activeElement);
    cell.replaceChildren(...[...next.childNodes].map((node) => document.importNode(node, true)));
    if (hadFocus) cell.querySelector("a")?.focus({ preventScroll: true });
  });
}

function showNew() {
  const list = document.querySelector("#result_list");
  if (!fresh?.querySelector("#result_list")) return;
  // From an empty list to the first rows, or where rows are ticked, the page itself knows best.
  if (!list || list.querySelector("input:checked")) {
    location.reload();
    return;
  }
  // All of the form, and what is found beside the search, since they count the rows.
  for (const part of ["#changelist-form", "#changelist-search .quiet"]) {
    const next = fresh.querySelector(part);
    if (next) document.querySelector(part)?.replaceWith(document.importNode(next, true));
  }
  // Django's script has heard of the rows that have gone.
  /** @type {any} */ (window).Actions?.(document.querySelectorAll("tr input.action-select"));
  button.hidden = true;
  document.querySelector("#result_list")?.querySelector("a")?.focus({ preventScroll: true });
}

function lookSoon() {
  timer ??= setTimeout(look, Math.max(0, lookedAt + INTERVAL - performance.now()));
}

/**
 * Do to the rows that are ticked what was chosen, if that only changes them.
 *
 * @param {SubmitEvent} event
 */
async function act(event) {
  const form = /** @type {HTMLFormElement} */ (event.target);
  const body = new FormData(form, event.submitter);
  if (!(tools.dataset.actions ?? "").split(" ").includes(String(body.get("action")))) return;
  event.preventDefault();
  if (form.getAttribute("aria-busy") === "true") return;
  form.setAttribute("aria-busy", "true");
  const { said, problem, page } = await post(location.href, body);
  form.removeAttribute("aria-busy");
  if (said !== undefined) {
    say(said);
    showDone();
  } else if (page === undefined) complain(problem ?? "");
  else if (!ask(location.href, page, showDone)) location.reload();
}

function showDone() {
  const form = /** @type {HTMLFormElement} */ (document.getElementById("changelist-form"));
  const ticked = /** @type {NodeListOf<HTMLInputElement>} */ (form.querySelectorAll("input[type=checkbox]:checked"));
  // As if by hand: the page counts what is ticked.
  for (const box of ticked) box.click();
  /** @type {HTMLSelectElement|null} */ (form.querySelector("select[name=action]"))?.form?.reset();
  clearTimeout(timer);
  look();
}

tools.hidden = false;
sendQuietly({ offline: tools.dataset.offline ?? "", refused: tools.dataset.refused ?? "" });
// Not at the form itself, which is another one after ``showNew()``.
document.addEventListener("submit", (event) => {
  if (event.target instanceof HTMLFormElement && event.target.id === "changelist-form") act(event);
});
button.addEventListener("click", showNew);
sound.checked = wantsSound();
sound.addEventListener("change", () => {
  wantSound(sound.checked);
  if (sound.checked) beep();
});
const line = staffLine();
line.addEventListener("changed", lookSoon);
line.addEventListener("missed", lookSoon);
line.addEventListener("ping", () => performance.now() - lookedAt > LOOK_AFTER && lookSoon());
