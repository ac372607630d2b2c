/** The earlier versions of messages and answers: how many there are, and looking at one. What is said goes to the last. */
import { h, setAttribute, setText } from "../dom.js";
import { asItems, isVisible } from "../items.js";
import { iconButton, nameButton } from "../ui/buttons.js";
import { asNumber, asObject } from "../values.js";
/** @import {Conversation} from "../conversation.js" */
/** @import {AnyItem} from "../items.js" */
/** @import {ThreadView} from "../views/thread.js" */

/** @typedef {"message"|"answer"} Of */
/** @typedef {{place: string, of: Of, number: number, count: number, items: AnyItem[]}} Look */

/** The server keeps no more of one. */
const MAX_VERSIONS = 100;

class Pager {
  /** @param {(number: number) => void} show */
  constructor(show) {
    this.show = show;
    this.number = 1;
    this.count = 1;
    this.before = iconButton("chevron-left", () => this.#go(-1));
    this.after = iconButton("chevron-right", () => this.#go(1));
    this.place = h("span", {});
    this.node = h("span", { class: "pager", part: "pager" }, this.before, this.place, this.after);
  }

  /** @param {number} step */
  #go(step) {
    const number = this.number + step;
    if (number >= 1 && number <= this.count) this.show(number);
  }

  /** @param {number} number @param {number} count */
  update(number, count) {
    this.number = number;
    this.count = count;
    // Not the attribute "disabled": it would drop the focus of who comes to the end.
    setAttribute(this.before, "aria-disabled", String(number <= 1));
    setAttribute(this.after, "aria-disabled", String(number >= count));
  }
}

export class EarlierVersions {
  #view;
  #chat;
  /** @type {Conversation|null} the one that is looked at */
  #conversation = null;
  /** @type {Map<string, Look>} what is shown in place of the last, the outermost first */
  #looks = new Map();
  /** @type {Map<string, Pager>} */
  #pagers = new Map();
  /** @type {{of: AnyItem[], items: AnyItem[]}|null} */
  #made = null;
  /** What was asked for last: whoever is overtaken shows nothing. */
  #asked = 0;

  /** @param {ThreadView} view */
  constructor(view) {
    this.#view = view;
    this.#chat = view.chat;
    const onclick = () => this.#showLatest();
    const button = h("button", { type: "button", class: "link-button", onclick }, this.#chat.text("showLatest"));
    const text = h("span", { dir: "auto" }, this.#chat.text("earlierVersion"));
    this.notice = h("p", { class: "earlier-notice", part: "earlier-notice", hidden: true }, text, " ", button);
    view.state.node.append(this.notice);
  }

  /** @param {AnyItem[]} items @returns {AnyItem[]} the same ones, unless one looks at an earlier version */
  shown(items) {
    const { conversation } = this.#chat;
    if (conversation !== this.#conversation) this.#pagers.clear();
    // Whoever writes on does so where the conversation stands.
    if (conversation !== this.#conversation || conversation.phase !== "idle") this.#looks.clear();
    this.#conversation = conversation;
    const shown = this.#looks.size ? this.#withLooks(items) : items;
    this.notice.hidden = !this.#looks.size;
    return shown;
  }

  /** @param {AnyItem[]} items */
  #withLooks(items) {
    if (this.#made?.of === items) return this.#made.items;
    let shown = items;
    for (const [key, look] of this.#looks) {
      const index = shown.findIndex(({ id }) => id === look.place);
      if (index === -1) this.#looks.delete(key);
      else shown = [...shown.slice(0, index + (look.of === "answer" ? 1 : 0)), ...look.items];
    }
    this.#made = { of: items, items: shown };
    return shown;
  }

  /**
   * @param {AnyItem} item a message, as it is shown
   * @param {Of} of whether versions of it are meant or of its answer
   * @returns {HTMLElement|null} null where there are none
   */
  pager(item, of) {
    const place = of === "message" && item.place ? item.place : item.id;
    const key = `${of} ${place}`;
    const look = this.#looks.get(key);
    const count = look?.count ?? Math.min(asNumber(asObject(item.earlier)[of]), MAX_VERSIONS) + 1;
    if (count < 2 || this.#url === null) return null;
    const pager = this.#pagers.get(key) ?? new Pager((number) => this.#show(place, of, number, pager));
    this.#pagers.set(key, pager);
    const number = look?.number ?? count;
    pager.update(number, count);
    setText(pager.place, this.#chat.text("questionOf", { number, count }));
    nameButton(pager.before, this.#chat.text("versionBefore"));
    nameButton(pager.after, this.#chat.text("versionAfter"));
    return pager.node;
  }

  get #url() {
    const { appUrl, conversation } = this.#chat;
    const { thread } = conversation;
    return appUrl === null || !thread ? null : `${appUrl}/threads/${encodeURIComponent(thread.id)}/earlier`;
  }

  /**
   * @param {string} place
   * @param {Of} of
   * @param {number} number
   * @param {Pager} pager
   */
  async #show(place, of, number, pager) {
    const { conversation } = this.#chat;
    const asked = (this.#asked += 1);
    const { count } = pager;
    const key = `${of} ${place}`;
    try {
      const items = number < count ? await this.#read(place, of, number) : null;
      if (asked !== this.#asked || conversation !== this.#chat.conversation || conversation.phase !== "idle") return;
      if (items) this.#looks.set(key, { place, of, number, count, items });
      else this.#looks.delete(key);
    } catch (error) {
      this.#chat.report(error);
      return;
    }
    const root = /** @type {ShadowRoot} */ (pager.node.getRootNode());
    const focused = root.activeElement;
    const hadFocus = focused !== null && pager.node.contains(focused);
    this.#update();
    this.#chat.frame.announce(this.#chat.text("questionOf", { number, count }));
    // It may stand below another item now.
    if (hadFocus) /** @type {HTMLElement} */ (pager.node.isConnected ? focused : this.#view.scroller).focus();
  }

  #showLatest() {
    this.#looks.clear();
    this.#update();
    this.#view.scroller.focus();
  }

  #update() {
    this.#made = null;
    this.#view.redraw();
  }

  /**
   * @param {string} place
   * @param {Of} of
   * @param {number} number
   * @returns {Promise<AnyItem[]>}
   */
  async #read(place, of, number) {
    /** @type {AnyItem[]} */
    const items = [];
    for (let hasMore = true; hasMore;) {
      const query = new URLSearchParams({ item: place, of, number: String(number) });
      const last = items.at(-1);
      if (last) query.set("after", last.id);
      const page = asObject(await (await this.#chat.transport.ask(`${this.#url}?${query}`)).json());
      const data = asItems(page.data);
      items.push(...data);
      hasMore = page.has_more === true && data.length > 0;
    }
    const { showsAll } = this.#chat.conversation;
    const shown = items.filter((item) => showsAll || isVisible(item)).map((item) => ({ ...item, isEarlier: true }));
    // The message is another one, and stands in the place of the last.
    return of === "message" ? shown.map((item, index) => (index ? item : { ...item, place })) : shown;
  }
}
