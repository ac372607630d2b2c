/** What a thread's page hears while it is open: changes, who else is there, who types. */
import { openDialogs } from "./dialog.js";
import { refreshParts } from "./parts.js";
import { sendQuietly } from "./quiet.js";
import { staffLine } from "./staff-line.js";

/** Milliseconds for which somebody types who was heard to; it is told again while they do. */
const TYPING_FOR = 4_000;
/** Milliseconds after which the page looks by itself: a bell may have been lost. */
const LOOK_AFTER = 60_000;

/**
 * @typedef {object} LiveConfig what `_live_config()` of `chatkit_app.admin.thread_page` tells
 * @property {number} pk
 * @property {number} version
 * @property {string} state what stands beside the transcript, as a word that changes with it
 * @property {string} changesUrl
 * @property {string} runEventsUrl
 * @property {string} earlierUrl
 * @property {string} draftKey under which one keeps what is not sent yet
 * @property {string} cannedUrl
 * @property {Record<string, string>} strings
 */

/**
 * Tell of changes as long as the page is open.
 *
 * @param {LiveConfig} config
 * @param {(read: (after: number) => Promise<any>) => Promise<unknown>} onNews there may be something new, which
 *   `read` reads
 */
export function followThread({ pk, version, state, changesUrl, strings }, onNews) {
  const line = staffLine();
  /** Who types at the moment: the name of a member of the staff, empty for the user. @type {string|null} */
  let typist = null;
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  let timer;
  /** Without a socket the page tells itself that it is there. */
  const page = crypto
    .getRandomValues(new BigUint64Array(2))
    .reduce((id, part) => id + part.toString(16).padStart(16, "0"), "");

  const read = async (/** @type {number} */ after) => {
    const query = new URLSearchParams({ after: String(after), ...(line.isPolling && { page }) });
    const response = await fetch(`${changesUrl}?${query}`);
    if (!response.ok || response.redirected) throw new Error(`The server answers with ${response.status}.`);
    const changes = await response.json();
    version = Math.max(version, changes.version);
    if (changes.thread?.items.data.some(isOfTypist)) showTyping(null);
    if (line.isPolling) showPeople(changes.people);
    if (changes.state !== state) refreshParts();
    state = changes.state;
    return changes;
  };
  let lookedAt = performance.now();
  const look = async () => {
    lookedAt = performance.now();
    try {
      await onNews(read);
    } catch (error) {
      console.warn("Changes could not be shown.", error);
    }
  };
  const showPeople = (/** @type {{id: string, name: string}[]} */ people) => {
    const names = people.filter(({ id }) => id !== me).map(({ name }) => name);
    write("chatkit-people", names.length ? strings.alsoHere.replace("{names}", names.join(", ")) : "");
  };
  const me = document.getElementById("chatkit-staff")?.dataset.user;
  const on = (/** @type {string} */ type, /** @type {(told: any) => void} */ listener) =>
    line.addEventListener(type, (event) => listener(/** @type {CustomEvent} */ (event).detail));

  on("changed", ({ threads }) => threads.includes(pk) && look());
  on("ping", ({ threads }) => (threads[pk] > version || performance.now() - lookedAt > LOOK_AFTER) && look());
  on("missed", look);
  on("people", ({ thread, people }) => thread === pk && showPeople(people));
  on("lost", () => {
    showPeople([]);
    showTyping(null);
  });
  on("typing", ({ thread, name }) => thread === pk && showTyping(name));
  line.open(pk);
  sendQuietly(strings);
  const showDone = () => {
    look();
    refreshParts();
  };
  document.addEventListener("chatkit:sent", showDone);
  openDialogs(showDone);

  /** @param {string|null} name of a member of the staff; empty for the user, null for nobody */
  function showTyping(name) {
    clearTimeout(timer);
    typist = name;
    const text = name ? strings.typing.replace("{name}", name) : strings.userTyping;
    write("chatkit-typing", name === null ? "" : text);
    if (name !== null) timer = setTimeout(() => showTyping(null), TYPING_FOR);
  }

  /** @param {{type: string, author?: object}} item it may be what somebody has been typing */
  function isOfTypist(item) {
    return typist === "" ? item.type === "user_message" : typist !== null && "author" in item;
  }
}

/**
 * @param {string} id
 * @param {string} text
 */
function write(id, text) {
  const place = document.getElementById(id);
  if (place && place.textContent !== text) place.textContent = text;
}
