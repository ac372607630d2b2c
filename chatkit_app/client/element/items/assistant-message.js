import { h, setChildren, setText } from "../dom.js";
import { icon } from "../icons.js";
import { MarkdownText } from "../markdown-text.js";
import { asList, asNumber, asObject, asText } from "../values.js";
import { addStyles } from "../style-sheet.js";
import { itemStyles } from "./item.css.js";
/** @import {Host} from "../host.js" */

addStyles({ item: itemStyles });

/** What the assistant says, with marks where it rests on something, and all of that below. */
export class AssistantMessageView {
  #host;
  /** @type {MessagePart[]} */
  #parts = [];
  /** @type {unknown[]} */
  #shown = [];
  #found = "[]";
  #files = "[]";
  /** @type {unknown} the content whose sources wait for what shows them */
  #waiting = null;

  /** @param {Host} host */
  constructor(host) {
    this.#host = host;
    this.parts = h("div", { class: "parts", part: "assistant-message" });
    this.sources = h("div", {});
    this.author = h("h3", { class: "visually-hidden", dir: "auto" }, host.text("assistant"));
    this.files = h("div", {});
    this.node = h("li", { class: "item assistant", part: "item" }, this.author, this.parts, this.files, this.sources);
    host.load("turnActions").then(
      ({ offerQuote }) => offerQuote(host, this.parts),
      () => {},
    );
  }

  /** @param {Record<string, any>} item @param {{isLive?: boolean}} [options] */
  update(item, { isLive = false } = {}) {
    const name = asText(asObject(item.author).name);
    if (name) {
      this.author.className = "who-answers";
      setText(this.author, name);
      this.#showFiles(asList(item.attachments));
    }
    if (this.#shown[0] === item.content && this.#shown[1] === isLive) return;
    this.#shown = [item.content, isLive];
    const contents = asList(item.content).map(asObject);
    // Until they can be shown, the text stands alone.
    if (contents.some(({ annotations }) => asList(annotations).length)) this.#loadSources(item, isLive);
    this.#parts.length = Math.min(this.#parts.length, contents.length);
    contents.forEach((content, index) => (this.#parts[index] ??= new MessagePart(this.#host)).update(content, isLive));
    setChildren(
      this.parts,
      this.#parts.map(({ node }) => node),
    );
    this.#showSources(isLive ? [] : contents.flatMap(({ annotations }) => asList(annotations)));
  }

  /** @param {any[]} attachments of a person's message */
  #showFiles(attachments) {
    const files = JSON.stringify(attachments);
    if (files === this.#files) return;
    this.#files = files;
    const names = attachments.map(({ name }) => asText(name)).join(", ");
    const show = (/** @type {Node|string} */ content) => files === this.#files && this.files.replaceChildren(content);
    this.#host.load("messageExtras").then(
      ({ attachmentList }) => show(attachmentList(this.#host, attachments) ?? ""),
      () => show(names),
    );
  }

  /** @param {Record<string, any>} item @param {boolean} isLive */
  async #loadSources(item, isLive) {
    if (this.#host.part("sources")) return;
    const isWaiting = this.#waiting !== null;
    this.#waiting = [item, isLive];
    if (isWaiting) return;
    const isThere = await this.#host.load("sources").catch(() => null);
    const [waiting, wasLive] = /** @type {[Record<string, any>, boolean]} */ (this.#waiting);
    this.#waiting = null;
    if (!isThere) return;
    this.#shown = [];
    for (const part of this.#parts) part.forget();
    this.update(waiting, { isLive: wasLive });
  }

  /** @param {any[]} annotations */
  #showSources(annotations) {
    const parts = this.#host.part("sources");
    if (!parts) return;
    const { readSources, sourceList } = parts;
    const sources = readSources(annotations.map(({ source }) => source));
    // What somebody has opened, or is pressing, is left alone when the same sources come again.
    const found = JSON.stringify(sources);
    if (found === this.#found) return;
    this.#found = found;
    this.sources.replaceChildren();
    if (!sources.length) return;
    const label = `${this.#host.text("sources")} · ${sources.length}`;
    const summary = h("summary", { class: "toggle" }, icon("globe"), label, icon("chevron-right"));
    this.sources.append(h("details", { part: "sources" }, summary, sourceList(this.#host, sources)));
  }
}

/** One of the texts of a message. */
class MessagePart {
  #host;
  #markdown;
  /** @type {unknown} */
  #annotations;
  /** @type {Map<number, HTMLElement>} by their place in the text; what is in one may become more */
  #marks = new Map();
  /** @type {WeakMap<HTMLElement, string>} the sources of each: what is being pressed is left alone when others come */
  #cited = new WeakMap();

  /** @param {Host} host */
  constructor(host) {
    this.#host = host;
    this.#markdown = new MarkdownText(host);
    this.node = this.#markdown.node;
  }

  /** @param {Record<string, any>} content @param {boolean} isLive */
  update({ text: value, annotations }, isLive) {
    const text = asText(value);
    if (annotations !== this.#annotations) this.#updateMarks(asList(annotations));
    this.#annotations = annotations;
    this.#markdown.update(text, {
      isLive,
      marks: [...this.#marks].map(([index, node]) => ({ index: placeIn(text, index), node: () => node })),
    });
  }

  /** What can be shown of the sources has changed. */
  forget() {
    this.#annotations = undefined;
  }

  /** @param {any[]} annotations */
  #updateMarks(annotations) {
    const marks = new Map();
    const parts = this.#host.part("sources");
    if (!parts) return;
    const { citation, readSources } = parts;
    for (const [index, all] of Map.groupBy(annotations, ({ index }) => Math.max(0, asNumber(index, Infinity)))) {
      const sources = readSources(all.map(({ source }) => source));
      const node = this.#marks.get(index) ?? h("span", {});
      const cited = JSON.stringify(sources);
      if (cited !== this.#cited.get(node)) {
        node.replaceChildren(...(sources.length ? [citation(this.#host, sources)] : []));
        this.#cited.set(node, cited);
      }
      marks.set(index, node);
    }
    this.#marks = marks;
  }
}

/** @param {string} text @param {number} index as Python counts: one for a character that is two in JavaScript */
function placeIn(text, index) {
  if (index >= text.length || !/[\ud800-\udbff]/.test(text)) return Math.min(index, text.length);
  let place = 0;
  for (let at = 0; at < index && place < text.length; at += 1) place += (text.codePointAt(place) ?? 0) > 0xffff ? 2 : 1;
  return place;
}
