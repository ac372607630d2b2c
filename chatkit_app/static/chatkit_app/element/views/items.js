/**
 * One view per type of item. A view has a `node` and an `update(item)`; `ITEM_VIEWS` is where the next type goes.
 */
import { h, setText } from "../dom.js";
import { itemText } from "../items.js";
import { renderMarkdown } from "../markdown.js";

class UserMessageView {
  constructor(chat) {
    this.quote = h("blockquote", { class: "quoted", dir: "auto" });
    this.text = h("div", { class: "bubble", dir: "auto" });
    this.attachments = h("ul", { class: "attachments", role: "list" });
    this.node = h(
      "li",
      { class: "item user" },
      h("span", { class: "visually-hidden" }, chat.text("you")),
      this.quote,
      this.text,
      this.attachments,
    );
  }

  update(item) {
    setText(this.text, itemText(item));
    setText(this.quote, item.quoted_text ?? "");
    this.quote.hidden = !item.quoted_text;
    this.attachments.hidden = !item.attachments?.length;
    this.attachments.replaceChildren(...(item.attachments ?? []).map(({ name }) => h("li", { dir: "auto" }, name)));
  }
}

class AssistantMessageView {
  constructor(chat) {
    this.text = h("div", { class: "markdown", dir: "auto" });
    this.node = h(
      "li",
      { class: "item assistant" },
      h("span", { class: "visually-hidden" }, chat.text("assistant")),
      this.text,
    );
  }

  update(item) {
    renderMarkdown(this.text, itemText(item));
  }
}

/** For types without a view of their own: what there is to read in them. */
class FallbackView {
  constructor(chat) {
    this.chat = chat;
    this.text = h("p", { dir: "auto" });
    this.node = h("li", { class: "item fallback" }, this.text);
  }

  update(item) {
    setText(this.text, itemText(item) || this.chat.text("unsupported"));
  }
}

const ITEM_VIEWS = {
  user_message: UserMessageView,
  assistant_message: AssistantMessageView,
};

export function createItemView(chat, item) {
  return new (ITEM_VIEWS[item.type] ?? FallbackView)(chat);
}
