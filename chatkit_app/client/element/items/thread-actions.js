/** What can be done with messages and answers that are there, each below its own. */
import { h, setAttribute } from "../dom.js";
import { iconButton, nameButton } from "../ui/buttons.js";
import { asObject } from "../values.js";
import { EarlierVersions } from "./earlier-versions.js";
import { TurnActions, offerQuote } from "./turn-actions.js";
/** @import {AnyItem} from "../items.js" */
/** @import {Shown, ThreadView} from "../views/thread.js" */

export { offerQuote };

export class ThreadActions {
  #chat;
  #versions;
  #earlierHost;
  /** @type {Map<string, TurnActions>} by the id of a turn's last item */
  #turns = new Map();
  /** @type {Map<string, HTMLElement>} by the id of a message */
  #messages = new Map();

  /** @param {ThreadView} view */
  constructor(view) {
    this.#chat = view.chat;
    this.#versions = new EarlierVersions(view);
    this.#earlierHost = view.chat.host.forReading();
  }

  /** Others take their place. */
  remove() {
    this.#versions.notice.remove();
  }

  /** @param {AnyItem} item */
  hostOf(item) {
    return item.isEarlier ? this.#earlierHost : this.#chat.host;
  }

  /** @param {AnyItem[]} items @returns {AnyItem[]} those that are shown: earlier versions, where one looks at them */
  shown(items) {
    return this.#versions.shown(items);
  }

  /**
   * @param {AnyItem[]} items those that are shown
   * @param {Map<string, Shown>} views
   * @param {boolean} isAnswering
   */
  update(items, views, isAnswering) {
    /** @type {Map<string, TurnActions>} */
    const turns = new Map();
    /** @type {Map<string, HTMLElement>} */
    const messages = new Map();
    const lastMessage = items.findLastIndex(({ type }) => type === "user_message");
    let start = 0;
    items.forEach((item, index) => {
      const { node } = /** @type {Shown} */ (views.get(item.id)).view;
      const next = items[index + 1];
      const isLast = !next || next.type === "user_message";
      if (item.type === "user_message") {
        start = index + 1;
        const isEditable = index === lastMessage && !isAnswering && this.#mayEdit(items.slice(index));
        const actions = this.#messageActions(item, { isEditable, isUnanswered: isLast && !isAnswering });
        if (actions) messages.set(item.id, attach(actions, node));
        return;
      }
      if (!isLast) return;
      const isLive = isAnswering && !next;
      const actions = this.#turns.get(item.id) ?? new TurnActions(this.#chat.host);
      // Out of sight, not away: nothing moves when the answer ends.
      setAttribute(actions.node, "data-live", isLive);
      const asked = items[start - 1];
      if (!isLive) {
        const pager = asked ? this.#versions.pager(asked, "answer") : null;
        actions.update(items.slice(start, index + 1), asked, pager);
      }
      attach(actions.node, node);
      turns.set(item.id, actions);
    });
    for (const [id, { node }] of this.#turns) if (!turns.has(id)) node.remove();
    for (const [id, node] of this.#messages) if (messages.get(id) !== node) node.remove();
    this.#turns = turns;
    this.#messages = messages;
  }

  /** @param {AnyItem[]} items the last message, with its answer */
  #mayEdit(items) {
    const { options, isReadOnly, host, conversation } = this.#chat;
    const { edit } = asObject(options.threadItemActions);
    const [{ isLocal, isEarlier }] = items;
    const isPossible = !isReadOnly && !host.isClosed && !isLocal && !isEarlier && !conversation.thread?.handler;
    // What a person has read and answered stays.
    return edit === true && isPossible && !items.some((item) => "author" in item);
  }

  /**
   * @param {AnyItem} item a message
   * @param {{isEditable: boolean, isUnanswered: boolean}} state
   * @returns {HTMLElement|null}
   */
  #messageActions(item, { isEditable, isUnanswered }) {
    const pagers = [this.#versions.pager(item, "message"), isUnanswered && this.#versions.pager(item, "answer")];
    const children = /** @type {HTMLElement[]} */ (pagers.filter(Boolean));
    const known = this.#messages.get(item.id);
    const edit = /** @type {HTMLElement|null|undefined} */ (known?.querySelector(":scope > [data-edit]"));
    if (isEditable) children.push(edit ?? this.#editButton(item.id));
    if (!children.length) return null;
    const naming = { role: "group", "aria-label": this.#chat.text("messageActions") };
    const node = known ?? h("div", { class: "turn-actions", part: "message-actions", ...naming });
    if (children.length !== node.children.length || children.some((child, index) => child !== node.children[index])) {
      node.replaceChildren(...children);
    }
    return node;
  }

  /** @param {string} id */
  #editButton(id) {
    const onclick = () => this.#edit(id).catch((error) => this.#chat.report(error));
    const button = iconButton("pencil", onclick, { "data-edit": true, ...this.#chat.ahead("messageEditor") });
    nameButton(button, this.#chat.text("editMessage"));
    return button;
  }

  /**
   * @param {string} id
   * @param {any[]} [content] what was written, and refused
   */
  async #edit(id, content) {
    const { editMessage } = await this.#chat.load("messageEditor");
    const { conversation, frame } = this.#chat;
    if (content) frame.update();
    const item = conversation.items.find((other) => other.id === id);
    /** @type {HTMLElement|null|undefined} */
    const button = this.#messages.get(id)?.querySelector(":scope > [data-edit]");
    const node = button?.closest(".item");
    if (item && button && node) {
      editMessage(this.#chat, item, { node, button, content, onRefused: (written) => this.#edit(id, written) });
    } else if (content && frame.composer.editor.isEmpty) await frame.composer.setValue({ content });
  }
}

/** @param {HTMLElement} actions @param {HTMLElement} node the item's */
function attach(actions, node) {
  if (actions.parentNode !== node) node.append(actions);
  return actions;
}
