/** Above the conversation: its title, new chat, history, and the page's own buttons. */
import { h, setAttribute, setText } from "../dom.js";
import { iconButton, nameButton } from "../ui/buttons.js";
import { asLabel } from "../values.js";
import { addStyles } from "../style-sheet.js";
import { headerStyles } from "./header.css.js";
/** @import {Chat} from "../chat.js" */
/** @import {HeaderAction} from "./header-actions.js" */

addStyles({ header: headerStyles });

export class HeaderView {
  /** The title that is being edited. @type {{threadId: string, end: () => void}|null} */
  editor = null;
  /** The page's own buttons, once there are any. @type {Record<"left"|"right", HeaderAction>|null} */
  #actions = null;

  /** @param {Chat} chat */
  constructor(chat) {
    this.chat = chat;
    this.left = h("span", { class: "header-actions" });
    this.right = h("span", { class: "header-actions" });
    this.titleName = h("bdi");
    this.titleText = h("span", {}, this.titleName);
    const rename = { class: "title-button", onclick: () => this.#edit(), ...chat.ahead("titleEditor") };
    this.rename = h("button", { type: "button", ...rename });
    this.title = h("h2", { class: "title", part: "title" });
    this.staff = iconButton("user", () => chat.askForStaff());
    this.newChat = iconButton("compose", () => chat.newChat());
    this.history = iconButton("history", () => chat.showHistory(), chat.ahead("history"));
    this.node = h(
      "header",
      { class: "header", part: "header" },
      this.left,
      this.title,
      this.right,
      this.staff,
      this.newChat,
      this.history,
    );
  }

  configure() {
    const { header, history } = this.chat.options;
    this.node.hidden = header?.enabled === false || this.chat.isReadOnly;
    this.history.hidden = history?.enabled === false;
    this.#configureActions();
    nameButton(this.staff, this.chat.text("talkToPerson"));
    nameButton(this.newChat, this.chat.text("newChat"));
    nameButton(this.history, this.chat.text("history"));
    setAttribute(this.rename, "title", this.chat.text("rename"));
  }

  update() {
    const { thread, isNew } = this.chat.conversation;
    this.newChat.hidden = isNew;
    this.staff.hidden = !this.chat.canAskForStaff;
    if (this.editor?.threadId !== thread?.id) this.editor?.end();
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
    const part = await this.chat.load("titleEditor").catch((error) => this.chat.dispatchError(error));
    // Of another thread that is there by now, nobody has pressed the title.
    if (thread?.id === this.chat.conversation.thread?.id) part?.editTitle(this);
  }

  async #configureActions() {
    if (!this.#actions) {
      const { leftAction, rightAction } = this.chat.options.header ?? {};
      const part = (leftAction || rightAction) && (await this.chat.load("headerActions").catch(() => null));
      if (!part) return;
      this.#actions ??= { left: new part.HeaderAction(this.chat), right: new part.HeaderAction(this.chat) };
      this.left.replaceChildren(this.#actions.left.node);
      this.right.replaceChildren(this.#actions.right.node);
    }
    const { header } = this.chat.options;
    this.#actions.left.configure(header?.leftAction);
    this.#actions.right.configure(header?.rightAction);
  }
}
