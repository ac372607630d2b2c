/**
 * A thread's transcript in the admin: the bundled element, to be read only, and beside every item what staff know of it.
 *
 * The newest items are in the page; older ones are asked for as somebody scrolls up. The element shows the items, and
 * this module fills their slots with the page's own nodes.
 *
 * @import {ChatKitOptions, ColorScheme} from "@openai/chatkit"
 * @import {ChatKitElement} from "../element/chatkit-element.js"
 * @import {PageConfig} from "../config.js"
 */
import "../element/index.js";
import { createFetch } from "../fetch.js";
import { baseOptions } from "../options.js";
import { followThread } from "./live-thread.js";
import { equipReply } from "./reply.js";
import { staffLine } from "./staff-line.js";

/**
 * @typedef {object} Facts what `Transcript` of `chatkit_app.admin.transcript` tells of an item
 * @property {number} pk
 * @property {string} label
 * @property {string} time
 * @property {string} datetime
 * @property {string} url
 * @property {{kind: string, text: string}[]} badges
 * @property {string[]} remarks
 * @property {{text: string, url: string}[]} links
 */
/** @typedef {{data: {id: string, staff?: Facts}[], has_more: boolean}} Page the newest first */
/**
 * @typedef {object} Data
 * @property {PageConfig} config
 * @property {{id: string}} thread
 * @property {Page} page
 * @property {string|null} linked the id of the row of the item that the address names
 * @property {import("./live-thread.js").LiveConfig} live
 * @property {boolean} isLatest the page ends with the newest item
 */

/** What the element takes for the app's address. */
const APP_URL = "app:";

const element = /** @type {ChatKitElement|null} */ (document.getElementById("chatkit-transcript"));
const darkPreference = matchMedia("(prefers-color-scheme: dark)");

/**
 * @param {ChatKitElement} element
 * @param {Data} data
 */
function showTranscript(element, { config, thread, page, linked, live, isLatest }) {
  const fetchFromSite = createFetch(config);
  let { version } = live;
  let isPageShown = false;

  /** The `api.fetch` of the element: a thread without items, the page that is here already, and what comes of asking. */
  const answer = async (/** @type {RequestInfo|URL} */ url, /** @type {RequestInit} */ init = {}) => {
    const [, query] = String(url).split(`${APP_URL}/threads/${thread.id}/earlier`);
    if (query !== undefined) {
      const response = await fetchFromSite(live.earlierUrl + query, init);
      return response.ok ? Response.json(withoutFacts(element, await response.json())) : response;
    }
    if (!init.body) return fetchFromSite(url, init);
    const { type, params } = JSON.parse(String(init.body));
    if (type === "threads.get_by_id") {
      return Response.json({ ...thread, version, items: { data: [], has_more: true } });
    }
    if (!params.after && !isPageShown) {
      isPageShown = true;
      return Response.json(withoutFacts(element, page));
    }
    const response = await fetchFromSite(config.endpoint, init);
    return response.ok ? Response.json(withoutFacts(element, await response.json())) : response;
  };

  const options = baseOptions(config, { fetch: /** @type {typeof fetch} */ (answer), rememberedThread: null });
  const configure = () => element.setOptions(withScheme(options, isDark() ? "dark" : "light"));
  const equip = () => equipForm(live, options, config.strings);
  // What stands there for those who have no script.
  element.querySelector(".chatkit-plain")?.remove();
  element.strings = config.strings;
  element.appUrl = APP_URL;
  element.runEvents = (run) => live.runEventsUrl.replace("/0/", `/${run}/`);
  element.addEventListener("chatkit.thread.load.end", () => linked && showLinked(linked), { once: true });
  element.addEventListener("chatkit.error", showProblem);
  darkPreference.addEventListener("change", configure);
  new MutationObserver(configure).observe(document.documentElement, { attributeFilter: ["class", "data-theme"] });
  configure();
  equip();
  document.addEventListener("chatkit:parts", equip);
  followThread(live, (read) => {
    // Beside an older page there is nothing to show, but what stands beside it has to be known.
    if (!isLatest) return read(version);
    return element.catchUp(async (_, after) => {
      const changes = await read(after);
      ({ version } = changes);
      if (changes.thread?.items.data.length) document.getElementById("chatkit-empty")?.remove();
      return withoutChangedFacts(element, changes);
    });
  });
}

/**
 * The form in which one answers, as soon as it is there.
 *
 * @param {Data["live"]} live
 * @param {ChatKitOptions} options
 * @param {ChatKitElement["strings"]} strings the element's
 */
function equipForm(live, options, strings) {
  const form = /** @type {HTMLFormElement|null} */ (document.getElementById("chatkit-reply"));
  const preview = /** @type {ChatKitElement|null} */ (document.getElementById("chatkit-preview"));
  if (!form || !preview || form.dataset.equipped) return;
  form.dataset.equipped = "yes";
  let text = "";
  const id = "preview";
  const fetch = async () => {
    const content = [{ type: "output_text", text, annotations: [] }];
    const item = { id, type: "assistant_message", created_at: new Date().toISOString(), content };
    return Response.json({ id, created_at: item.created_at, items: { data: text ? [item] : [], has_more: false } });
  };
  const api = /** @type {any} */ ({ ...options.api, fetch });
  let isShown = false;
  const frameTitle = live.strings.preview;
  const configure = () =>
    preview.setOptions(withScheme({ ...options, api, frameTitle, initialThread: id }, isDark() ? "dark" : "light"));
  darkPreference.addEventListener("change", () => isShown && configure());
  equipReply(form, {
    draftKey: live.draftKey,
    cannedUrl: live.cannedUrl,
    strings: live.strings,
    onTyping: () => staffLine().type(),
    onPreview: (written) => {
      text = written;
      if (isShown) preview.fetchUpdates();
      else {
        preview.strings = strings;
        configure();
      }
      isShown = true;
    },
  });
}

/** Whether the admin is dark, which stock Django says in one way, and others say in another. */
function isDark() {
  const { classList, dataset } = document.documentElement;
  return classList.contains("dark") || dataset.theme === "dark" || (dataset.theme === "auto" && darkPreference.matches);
}

/**
 * @param {ChatKitOptions} options
 * @param {ColorScheme} colorScheme
 * @returns {ChatKitOptions}
 */
function withScheme(options, colorScheme) {
  const theme = typeof options.theme === "object" ? options.theme : {};
  return { ...options, theme: { ...theme, colorScheme } };
}

/**
 * The items alone; what staff know of them goes into the element's slots.
 *
 * @param {ChatKitElement} element
 * @param {Page} page
 */
function withoutFacts(element, { data, ...rest }) {
  const items = data.map(({ staff, ...item }) => {
    if (staff) putRow(element, item.id, row(item.id, staff));
    return item;
  });
  return { data: items, ...rest };
}

/**
 * @param {ChatKitElement} element
 * @param {any} changes what `changes_view()` tells
 */
function withoutChangedFacts(element, { thread, removed = [], ...rest }) {
  if (rest.reset) return rest;
  for (const id of removed) putRow(element, id, null);
  return { ...rest, removed, thread: { ...thread, items: withoutFacts(element, thread.items) } };
}

/**
 * @param {ChatKitElement} element
 * @param {string} id the item's
 * @param {Node|null} row in place of what was said of the item before
 */
function putRow(element, id, row) {
  element.querySelector(`:scope > [slot="item-${CSS.escape(id)}"]`)?.remove();
  if (row) element.append(row);
}

/**
 * @param {string} id
 * @param {Facts} facts
 */
function row(id, { pk, label, time, datetime, url, badges, remarks, links }) {
  const line = node("div", { class: "chatkit-item-line" });
  const permalink = node("a", { href: url });
  permalink.append(node("time", { datetime }, time));
  line.append(node("strong", {}, label), permalink);
  for (const { kind, text } of badges) line.append(node("span", { class: `chatkit-badge chatkit-${kind}` }, text));
  const tools = node("span", { class: "chatkit-item-tools" });
  tools.append(...links.map((link) => node("a", { href: link.url }, link.text)));
  line.append(tools);
  const group = { slot: `item-${id}`, id: `item-${pk}`, role: "group", "aria-label": `${label}, ${time}` };
  const whole = node("div", { class: "chatkit-item", ...group });
  whole.append(line, ...remarks.map((text) => node("p", { dir: "auto" }, text)));
  return whole;
}

/**
 * @param {string} tag
 * @param {Record<string, string>} attributes
 * @param {string} [text]
 */
function node(tag, attributes, text = "") {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.textContent = text;
  return made;
}

/** @param {string} id */
function showLinked(id) {
  const item = document.getElementById(id);
  item?.setAttribute("aria-current", "true");
  item?.scrollIntoView();
}

/** @param {Event} event */
function showProblem(event) {
  // An answer that has failed says so in its place.
  if (/** @type {CustomEvent} */ (event).detail?.error?.name !== "TransportError") return;
  const problem = document.getElementById("chatkit-transcript-problem");
  if (problem) problem.hidden = false;
}

if (element) {
  showTranscript(element, JSON.parse(document.getElementById("chatkit-transcript-data")?.textContent ?? ""));
}
