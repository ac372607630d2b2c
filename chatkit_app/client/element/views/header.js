/** Above the conversation: its title, new chat, history, and the page's own buttons. */
import { h, setAttribute, setText } from "../dom.js";
import { icon } from "../icons.js";
import { iconButton, nameButton } from "../ui/buttons.js";
import { asLabel, asObject, asText } from "../values.js";
import { addStyles } from "../style-sheet.js";
import { headerStyles } from "./header.css.js";
/** @import {Chat} from "../chat.js" */
/** @import {StringKey} from "../host.js" */

addStyles({ header: headerStyles });

/** @type {[RegExp, StringKey][]} what the icons of the page's own buttons say, as it gives them no names */
const NAMES = [
  [/^(sidebar|(collapse|open)-(left|right)|double-)/, "sidebar"],
  [/^expand/, "expand"],
  [/^collapse/, "collapse"],
  [/^(menu|hamburger|dots|grid)/, "menu"],
  [/^back/, "menuBack"],
  [/^home/, "home"],
  [/^close/, "close"],
  [/^settings/, "settings"],
  [/^share/, "share"],
  [/^light/, "lightMode"],
  [/^dark/, "darkMode"],
  [/^compose/, "newChat"],
  [/^history/, "conversations"],
];

export class HeaderView {
  /** @type {{node: HTMLElement, threadId: string}|null} */
  #editor = null;

  /** @param {Chat} chat */
  constructor(chat) {
    this.chat = chat;
    this.left = this.#action(() => this.chat.options.header?.leftAction);
    this.titleName = h("bdi");
    this.titleText = h("span", {}, this.titleName);
    this.rename = h("button", { type: "button", class: "title-button", onclick: () => this.#edit() });
    this.title = h("h2", { class: "title", part: "title" });
    this.right = this.#action(() => this.chat.options.header?.rightAction);
    this.staff = iconButton("user", () => chat.askForStaff());
    this.newChat = iconButton("compose", () => chat.newChat());
    this.history = iconButton("history", () => chat.showHistory());
    this.node = h(
      "header",
      { class: "header", part: "header" },
      this.left.node,
      this.title,
      this.right.node,
      this.staff,
      this.newChat,
      this.history,
    );
  }

  configure() {
    const { header, history } = this.chat.options;
    this.node.hidden = header?.enabled === false || this.chat.isReadOnly;
    this.history.hidden = history?.enabled === false;
    this.left.configure();
    this.right.configure();
    nameButton(this.staff, this.chat.text("talkToPerson"));
    nameButton(this.newChat, this.chat.text("newChat"));
    nameButton(this.history, this.chat.text("history"));
    setAttribute(this.rename, "title", this.chat.text("rename"));
  }

  update() {
    const { thread, isNew } = this.chat.conversation;
    this.newChat.hidden = isNew;
    this.staff.hidden = !this.chat.canAskForStaff;
    if (this.#editor && this.#editor.threadId !== thread?.id) this.#endEdit();
    const { header, history } = this.chat.options;
    const own = asLabel(header?.title?.text);
    setText(this.titleName, own || asLabel(thread?.title));
    // An empty one keeps its place, and keeps the buttons at the end.
    this.titleText.hidden = header?.title?.enabled === false;
    const canRename = history?.showRename && thread && !own && !this.titleText.hidden;
    const holder = canRename ? this.rename : this.title;
    if (this.titleText.parentNode !== holder) holder.append(this.titleText);
    if (canRename && !this.rename.isConnected) this.title.append(this.rename);
    if (!canRename) this.rename.remove();
  }

  async #edit() {
    const { thread } = this.chat.conversation;
    if (!thread || this.#editor) return;
    const part = await this.chat.load("titleEditor").catch((error) => this.chat.dispatchError(error));
    if (!part || this.#editor || thread !== this.chat.conversation.thread) return;
    const node = part.titleEditor(this.chat, thread, (hadFocus) => {
      this.#endEdit();
      if (hadFocus) this.rename.focus();
    });
    this.#editor = { node, threadId: thread.id };
    this.title.hidden = true;
    this.title.after(node);
    node.querySelector("input")?.focus();
  }

  #endEdit() {
    const node = this.#editor?.node;
    this.#editor = null;
    this.title.hidden = false;
    node?.remove();
  }

  /**
   * A button of the page's own. It stays while the page sets options, since a press is lost on one that is made anew.
   *
   * @param {() => unknown} option
   */
  #action(option) {
    const button = iconButton("", () => asObject(option()).onClick?.());
    const configure = () => {
      const { icon: named, label } = asObject(option());
      const name = asText(named);
      button.hidden = !name;
      if (button.dataset.icon !== name) button.replaceChildren(icon(name));
      button.dataset.icon = name;
      const key = NAMES.find(([pattern]) => pattern.test(name))?.[1];
      nameButton(button, asLabel(label) || (key ? this.chat.text(key) : name.replaceAll("-", " ")));
    };
    return { node: h("span", { class: "header-actions" }, button), configure };
  }
}
