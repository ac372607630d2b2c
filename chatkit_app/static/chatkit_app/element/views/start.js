import { h, setText } from "../dom.js";
import { icon } from "../icons.js";

/** What an empty chat shows: a greeting and prompts to begin with. */
export class StartView {
  constructor(chat) {
    this.chat = chat;
    this.greeting = h("p", { class: "greeting", dir: "auto" });
    this.prompts = h("ul", { class: "prompts", role: "list" });
    this.node = h("div", { class: "start" }, this.greeting, this.prompts);
  }

  configure() {
    const { greeting, prompts = [] } = this.chat.options.startScreen ?? {};
    setText(this.greeting, greeting ?? this.chat.text("greeting"));
    this.prompts.replaceChildren(...prompts.map((prompt) => h("li", {}, this.#button(prompt))));
  }

  update() {
    this.node.hidden = !this.chat.conversation.isNew;
  }

  #button({ label, prompt, icon: name }) {
    const content = typeof prompt === "string" ? [{ type: "input_text", text: prompt }] : prompt;
    return h(
      "button",
      { type: "button", class: "prompt", dir: "auto", onclick: () => this.chat.send({ content }) },
      icon(name ?? "chat"),
      h("span", {}, label),
    );
  }
}
