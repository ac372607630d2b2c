/** What an empty chat shows: a greeting and prompts to begin with. */
import { h, setChildren, setText } from "../dom.js";
import { icon } from "../icons.js";
import { asLabel, asList, asObject, asText } from "../values.js";
import { addStyles } from "../style-sheet.js";
import { startStyles } from "./start.css.js";
/** @import {Chat} from "../chat.js" */

addStyles({ start: startStyles });

export class StartView {
  /** @type {Map<string, HTMLElement>} by what it says and sends: a press is lost on a button that is made anew under it */
  #prompts = new Map();

  /** @param {Chat} chat */
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
    /** @type {Map<string, HTMLElement>} */
    const kept = new Map();
    for (const prompt of asList(prompts).map(asObject)) {
      const name = JSON.stringify(prompt);
      // The same one twice is there twice.
      const key = kept.has(name) ? `${name} ${kept.size}` : name;
      kept.set(key, this.#prompts.get(key) ?? h("li", {}, this.#button(prompt)));
    }
    this.#prompts = kept;
    setChildren(this.prompts, [...kept.values()]);
  }

  update() {
    this.node.hidden = !this.chat.conversation.isNew;
  }

  /** @param {Record<string, unknown>} prompt */
  #button({ label, prompt, icon: name }) {
    const content = Array.isArray(prompt) ? prompt : [{ type: "input_text", text: asText(prompt) }];
    const onclick = () => {
      // The button goes, and the focus must not go with it.
      this.chat.frame.composer.focus();
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
