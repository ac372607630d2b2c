/** What an answer rests on: pages, files and entities; as marks in its text, on cards and in lists. */
import { h } from "../dom.js";
import { icon } from "../icons.js";
import { link } from "../ui/link.js";
import { place as placePopover } from "../ui/popover.js";
import { safeUrl } from "../urls.js";
import { asLabel, asObject, asText } from "../values.js";
import { addStyles } from "../style-sheet.js";
import { menuStyles } from "../ui/menu.css.js";
import { sourceStyles } from "./sources.css.js";
/** @import {Entity} from "@openai/chatkit" */
/** @import {Host} from "../host.js" */

addStyles({ menu: menuStyles, sources: sourceStyles });
/** @typedef {ReturnType<typeof readSource>} Source */

/** Milliseconds before a card comes and goes, so that it is neither in the way nor out of reach. */
const DELAY = 250;

/** @param {unknown} value */
function readSource(value) {
  const source = asObject(value);
  const url = source.type === "url" ? safeUrl(source.url) : null;
  const site = url?.startsWith("http") ? new URL(url).hostname.replace(/^www\./, "") : "";
  const place = asLabel(source.filename) || asLabel(source.attribution) || site || asLabel(source.label);
  const title = asLabel(source.title) || place;
  const isEntity = source.type === "entity";
  /** @type {Entity|null} */
  const entity = isEntity
    ? { ...source, id: asText(source.id), title, interactive: source.interactive === true }
    : null;
  return {
    title,
    place,
    entity,
    url,
    key: url ?? `${entity?.id} ${title} ${place}`,
    mark: isEntity ? asLabel(source.inline_label) : place || title,
    icon: isEntity ? asText(source.icon) || "cube" : source.type === "file" ? "document" : "globe",
    description: asLabel(source.description),
    timestamp: asLabel(source.timestamp),
    group: asLabel(source.group),
  };
}

/** @param {unknown[]} values @returns {Source[]} each once */
export function readSources(values) {
  const sources = values.map(readSource).filter(({ title }) => title);
  return [...Map.groupBy(sources, ({ key }) => key).values()].map(([source]) => source);
}

/**
 * The mark of the sources of one place in a text.
 *
 * @param {Host} host
 * @param {Source[]} sources
 */
export function citation(host, sources) {
  const [source] = sources;
  const isOne = sources.length === 1;
  const label = source.mark ? h("span", { class: "ellipsis" }, source.mark) : icon(source.icon);
  const node = chip(host, isOne ? source : null, label, isOne ? "" : ` +${sources.length - 1}`);
  node.className = "citation";
  node.setAttribute("part", "citation");
  node.setAttribute("aria-label", host.text("source", { title: sources.map(({ title }) => title).join(", ") }));
  attachCard(node, () => (isOne ? sourceCard(host, source) : sourceList(host, sources)));
  return node;
}

/**
 * What can be opened is a link, or a button.
 *
 * @param {Host} host
 * @param {Source|null} source
 * @param {...(Node|string)} children
 * @returns {HTMLElement}
 */
function chip(host, source, ...children) {
  const entity = source?.entity;
  const onclick = () => entity?.interactive && host.clickEntity(entity);
  return link(host, source?.url, ...children) ?? h("button", { type: "button", onclick }, ...children);
}

/** @param {Host} host @param {Source} source */
function sourceCard(host, { title, place, description, timestamp, entity, icon: name }) {
  const card = h(
    "div",
    { class: "source-card" },
    h("div", { class: "source-place" }, icon(name), h("span", { dir: "auto" }, place || title)),
    place && place !== title && h("strong", { dir: "auto" }, title),
    description && h("p", { dir: "auto" }, description),
    timestamp && h("p", { class: "muted", dir: "auto" }, dateText(host, timestamp)),
  );
  return entity ? entityCard(host, entity, card) : card;
}

/** @param {Host} host @param {string} timestamp a date is written as the reader writes it */
function dateText(host, timestamp) {
  const date = /^\d{4}-\d\d-\d\d($|T)/.test(timestamp) ? new Date(timestamp) : null;
  if (!date || Number.isNaN(date.getTime())) return timestamp;
  const timeZone = timestamp.length === 10 ? "UTC" : undefined;
  return date.toLocaleDateString(host.language, { dateStyle: "medium", timeZone });
}

/**
 * The page's preview of an entity.
 *
 * @param {Host} host
 * @param {Entity} entity
 * @param {Node|null} [otherwise]
 */
export async function entityCard(host, entity, otherwise = null) {
  const preview = await host.previewEntity(entity);
  if (!preview) return otherwise;
  const widgets = await host.load("widgets").catch(() => null);
  return widgets ? widgets.renderRoot(host, preview) : otherwise;
}

/**
 * Under headings, if they are grouped.
 *
 * @param {Host} host
 * @param {Source[]} sources
 */
export function sourceList(host, sources) {
  const groups = [...Map.groupBy(sources, ({ group }) => group)].sort(([one], [other]) => +!!one - +!!other);
  const lists = groups.flatMap(([group, members]) => [
    group && h("p", { class: "source-group muted" }, h("bdi", {}, group)),
    h("ul", { role: "list" }, ...members.map((source) => h("li", {}, sourceRow(host, source)))),
  ]);
  return h("div", { class: "source-lists" }, ...lists);
}

/** @param {Host} host @param {Source} source */
function sourceRow(host, source) {
  const { title, place, url, entity } = source;
  const texts = [title, place === title ? "" : place];
  const words = texts.map((text) => h("span", { class: "ellipsis", dir: "auto" }, text));
  const content = [icon(source.icon), ...words];
  const row = url || entity?.interactive ? chip(host, source, ...content) : h("span", {}, ...content);
  row.className = "source";
  return row;
}

/**
 * A card beside a chip, for those who point at it, tap it or come by with the Tab key.
 *
 * @param {HTMLElement} anchor
 * @param {() => Node|null|Promise<Node|null>} build what the card shows; null for none
 */
export function attachCard(anchor, build) {
  /** @type {HTMLElement|null} */
  let card = null;
  /** What is being built, or shown, was wanted by this. @type {object|null} */
  let wish = null;
  let timer = 0;
  const root = () => anchor.getRootNode();
  const hide = () => {
    clearTimeout(timer);
    wish = null;
    card?.remove();
    card = null;
    root().removeEventListener("scroll", onScroll, true);
  };
  const onScroll = (/** @type {Event} */ { target }) => target !== card && hide();
  const later = (/** @type {() => void} */ action) => {
    clearTimeout(timer);
    timer = setTimeout(action, DELAY);
  };
  const onFocusOut = (/** @type {FocusEvent} */ { relatedTarget }) => {
    if (relatedTarget !== anchor && !card?.contains(/** @type {Node|null} */ (relatedTarget))) hide();
  };
  const show = async () => {
    clearTimeout(timer);
    if (wish) return;
    const mine = (wish = {});
    const content = await build();
    // Whoever has gone, and come back since, waits for another one.
    if (wish !== mine) return;
    if (!content || !anchor.isConnected) return hide();
    card = h(
      "div",
      {
        class: "popover card",
        part: "card",
        popover: "auto",
        onpointerenter: () => clearTimeout(timer),
        onpointerleave: () => later(hide),
        onfocusout: onFocusOut,
        ontoggle: (/** @type {ToggleEvent} */ { newState }) => newState === "closed" && hide(),
      },
      content,
    );
    anchor.after(card);
    card.showPopover();
    placePopover(card, anchor.getBoundingClientRect(), { above: true });
    root().addEventListener("scroll", onScroll, true);
  };
  anchor.addEventListener("pointerenter", ({ pointerType }) => pointerType !== "touch" && later(show));
  anchor.addEventListener("pointerleave", () => later(hide));
  anchor.addEventListener("focus", () => anchor.matches(":focus-visible") && show());
  anchor.addEventListener("blur", onFocusOut);
  if (anchor.tagName === "BUTTON") anchor.addEventListener("click", show);
}
