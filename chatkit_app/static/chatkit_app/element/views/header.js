import { h, setText } from "../dom.js";
import { iconButton, nameButton } from "./buttons.js";

/** Title, new chat, history, and the page's own buttons. */
export class HeaderView {
  constructor(chat) {
    this.chat = chat;
    this.left = h("span", { class: "header-actions" });
    this.title = h("h2", { class: "title", dir: "auto" });
    this.right = h("span", { class: "header-actions" });
    this.newChat = iconButton("compose", () => chat.newChat());
    this.history = iconButton("history", () => chat.showHistory());
    this.node = h("header", { class: "header" }, this.left, this.title, this.right, this.newChat, this.history);
  }

  /** After `setOptions`. */
  configure() {
    const { header = {}, history = {} } = this.chat.options;
    this.node.hidden = header.enabled === false;
    this.title.hidden = header.title?.enabled === false;
    this.history.hidden = history.enabled === false;
    this.left.replaceChildren(...actionButton(header.leftAction));
    this.right.replaceChildren(...actionButton(header.rightAction));
    nameButton(this.newChat, this.chat.text("newChat"));
    nameButton(this.history, this.chat.text("history"));
  }

  update() {
    const { thread, isNew } = this.chat.conversation;
    setText(this.title, this.chat.options.header?.title?.text ?? thread?.title ?? "");
    this.newChat.hidden = isNew;
  }
}

function actionButton(action) {
  if (!action) return [];
  const button = iconButton(action.icon, () => action.onClick?.());
  nameButton(button, action.icon.replaceAll("-", " "));
  return [button];
}
