/** What an empty chat shows: a greeting and prompts to begin with. */
import { h, setText } from "../dom.js";
import { icon } from "../icons.js";
import { asLabel, asList, asObject, asText } from "../values.js";
/** @import {ChatView} from "../chat.js" */

export class StartView {
  /** @param {ChatView} chat */
  constructor(chat) {
    this.chat = chat;
    this.greeting = h("h2", { class: "greeting", part: "greeting", dir: "auto" });
    this.prompts = h("ul", { class: "prompts", role: "list" });
    this.node = h("div", { class: "start", part: "start" }, this.greeting, this.prompts);
  }

  configure() {
    const { greeting, prompts } = asObject(this.chat.options.startScreen);
    setText(this.greeting, asText(greeting ?? this.chat.text("greeting")));
    this.greeting.hidden = !this.greeting.textContent;
    this.prompts.replaceChildren(...asList(prompts).map((prompt) => h("li", {}, this.#button(asObject(prompt)))));
  }

  update() {
    this.node.hidden = !this.chat.conversation.isNew;
  }

  /** @param {Record<string, unknown>} prompt */
  #button({ label, prompt, icon: name }) {
    const content = Array.isArray(prompt) ? prompt : [{ type: "input_text", text: asText(prompt) }];
    const onclick = () => {
      // The button goes, and the focus must not go with it.
      this.chat.composer.focus();
      this.chat.send({ content });
    };
    return h(
      "button",
      { type: "button", class: "prompt", part: "prompt", onclick },
      icon(asText(name) || "chat"),
      h("span", { dir: "auto" }, asLabel(label)),
    );
  }
}
