/** How much waits for staff, in the header of the admin: users for a person, flags for a review. */
import { beep, wantsSound } from "./sound.js";
import { staffLine } from "./staff-line.js";

/** Milliseconds between two looks, however much happens. */
const INTERVAL = 3_000;
const MAX_COUNT = 99;

const counter = document.getElementById("chatkit-staff");
const title = document.title;
let waitingBefore = -1;
/** @type {ReturnType<typeof setTimeout>|undefined} */
let timer;
let lookedAt = -Infinity;

async function look() {
  timer = undefined;
  lookedAt = performance.now();
  try {
    const response = await fetch(counter?.dataset.counts ?? "");
    if (response.ok && !response.redirected) show(await response.json());
  } catch (error) {
    console.warn("What waits could not be counted.", error);
  }
}

/** @param {Record<string, number|null>} counts */
function show(counts) {
  for (const [name, count] of Object.entries(counts)) {
    const link = /** @type {HTMLElement|null} */ (counter?.querySelector(`[data-chatkit-count="${name}"]`));
    const number = link?.querySelector("strong");
    if (!link || !number) continue;
    const text = (count ?? 0) > MAX_COUNT ? `${MAX_COUNT}+` : String(count ?? 0);
    if (number.textContent !== text) number.textContent = text;
    link.hidden = !count;
  }
  const waiting = counts.waiting ?? 0;
  if (document.getElementById("chatkit-inbox")) document.title = waiting ? `(${waiting}) ${title}` : title;
  if (waitingBefore !== -1 && waiting > waitingBefore && wantsSound()) beep();
  waitingBefore = waiting;
}

function lookSoon() {
  timer ??= setTimeout(look, Math.max(0, lookedAt + INTERVAL - performance.now()));
}

if (counter) {
  const line = staffLine();
  line.addEventListener("changed", lookSoon);
  line.addEventListener("missed", lookSoon);
  line.addEventListener("ping", lookSoon);
  lookSoon();
}
