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
/** @typedef {{config: PageConfig, thread: object, page: Page, linked: string|null}} Data */

const element = /** @type {ChatKitElement|null} */ (document.getElementById("chatkit-transcript"));
const darkPreference = matchMedia("(prefers-color-scheme: dark)");

/**
 * @param {ChatKitElement} element
 * @param {Data} data
 */
function showTranscript(element, { config, thread, page, linked }) {
  const fetchFromSite = createFetch(config);

  /** The `api.fetch` of the element: a thread without items, the page that is here already, and those before it. */
  const answer = async (/** @type {unknown} */ _, /** @type {RequestInit} */ init = {}) => {
    const { type, params } = JSON.parse(String(init.body));
    if (type === "threads.get_by_id") return Response.json({ ...thread, items: { data: [], has_more: true } });
    if (type === "items.list" && !params.after) return Response.json(withoutFacts(element, page));
    const response = await fetchFromSite(config.endpoint, init);
    return response.ok ? Response.json(withoutFacts(element, await response.json())) : response;
  };

  const options = baseOptions(config, { fetch: /** @type {typeof fetch} */ (answer), rememberedThread: null });
  const configure = () => element.setOptions(withScheme(options, isDark() ? "dark" : "light"));
  // What stands there for those who have no script.
  element.querySelector(".chatkit-plain")?.remove();
  element.strings = config.strings;
  element.addEventListener("chatkit.thread.load.end", () => linked && showLinked(linked), { once: true });
  element.addEventListener("chatkit.error", showProblem);
  darkPreference.addEventListener("change", configure);
  new MutationObserver(configure).observe(document.documentElement, { attributeFilter: ["class", "data-theme"] });
  configure();
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
    if (staff) element.append(row(item.id, staff));
    return item;
  });
  return { data: items, ...rest };
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

function showProblem() {
  const problem = document.getElementById("chatkit-transcript-problem");
  if (problem) problem.hidden = false;
}

if (element) {
  showTranscript(element, JSON.parse(document.getElementById("chatkit-transcript-data")?.textContent ?? ""));
}
