/** Where the message is written: Enter sends, Shift+Enter breaks the line, one button sends or stops. */
import { h, setAttribute, setText } from "../dom.js";
import { icon } from "../icons.js";
import { MarkdownView } from "../markdown/index.js";
import { iconButton, nameButton } from "../ui/buttons.js";
import { Menu } from "../ui/menu.js";
import { asLabel, asText } from "../values.js";
import { Attachments } from "./attachments.js";
import { ModelChoice, ToolChoice } from "./choices.js";
import { CommandSource } from "./commands.js";
import { Completion } from "./completion.js";
import { Dictation } from "./dictation.js";
import { Editor } from "./editor.js";
import { entitySource } from "./entities.js";
import { Suggestions } from "./suggestions.js";
import { fromContent, toContent } from "./tags.js";
/** @import {OpenAIChatKit} from "@openai/chatkit" */
/** @import {Chat} from "../chat.js" */

/** The composer: text with tags, files, a tool, a model and a quotation, until they are sent. */
export class ComposerView {
  #reply = "";
  /** It was said why the message cannot go yet. */
  #wasHeld = false;

  /** @param {Chat} chat */
  constructor(chat) {
    this.chat = chat;
    const onChange = () => this.update();
    const say = (/** @type {string} */ text) => this.say(text);
    this.editor = new Editor(() => {
      this.say("");
      this.completion?.update();
      this.update();
    });
    this.input = this.editor.input;
    this.attachments = new Attachments(chat, { say, onChange });
    this.tools = new ToolChoice(chat, onChange);
    this.models = new ModelChoice(chat);
    this.dictation = new Dictation(chat, { say, onText: (text) => this.editor.insertWords(text), onChange });

    this.quoted = h("span", { class: "reply-text", dir: "auto" });
    this.removeReply = iconButton("close", () => {
      this.setReply("");
      this.focus();
    });
    const quoted = [icon("quote"), this.quoted, this.removeReply];
    this.reply = h("div", { class: "reply", part: "reply", hidden: true }, ...quoted);
    this.plus = iconButton("plus", () => {}, { class: "icon-button plus" });
    new Menu(this.plus, () => this.#plusEntries(), { above: true });
    this.attach = iconButton("paperclip", () => this.attachments.openFiles());
    this.mention = iconButton("at", () => this.#startMention());
    this.button = h(
      "button",
      { type: "submit", class: "send", part: "send" },
      icon("arrow-up"),
      h("span", { class: "stop-square", "aria-hidden": "true" }),
    );
    this.controls = h(
      "div",
      { class: "controls" },
      h("span", { class: "choices" }, this.plus, this.attach, this.mention, this.tools.node),
      this.dictation.node,
      h("span", { class: "sending" }, this.models.node, this.dictation.button, this.button),
    );
    this.box = h(
      "div",
      { class: "box", part: "composer" },
      this.reply,
      this.attachments.node,
      this.editor.node,
      this.controls,
    );
    this.suggestions = new Suggestions(this.input, this.box);
    this.completion = new Completion(chat, this.editor, this.suggestions, [
      entitySource(chat, this.editor),
      new CommandSource(this),
    ]);
    this.problem = h("p", { class: "problem", role: "alert", dir: "auto", hidden: true });
    this.notice = h("p", { class: "read-only", role: "status", dir: "auto" });
    this.disclaimer = new MarkdownView(chat.host);
    this.footer = h("div", { class: "disclaimer", part: "disclaimer" }, this.disclaimer.node);
    this.node = h(
      "form",
      { class: "composer" },
      this.notice,
      this.problem,
      this.box,
      this.footer,
      this.suggestions.node,
      this.attachments.picker,
    );
    this.#listen();
  }

  configure() {
    const { commands, composer, disclaimer, entities } = this.chat.options;
    for (const part of [this.attachments, this.tools, this.models, this.dictation]) part.configure();
    this.plus.hidden = !this.tools.hasUnpinned;
    this.attach.hidden = !this.attachments.isOffered || !this.plus.hidden;
    this.mention.hidden = !entities?.onTagSearch || !entities.showComposerMenu;
    // With nothing but a text to write, one row is enough.
    const hasChoices = [this.plus, this.attach, this.mention, this.models.node].some(({ hidden }) => !hidden);
    setAttribute(this.box, "data-choices", hasChoices || this.tools.all.length > 0);
    nameButton(this.plus, this.chat.text("composerMenu"));
    nameButton(this.attach, this.chat.text("attach"));
    nameButton(this.mention, this.chat.text("mention"));
    nameButton(this.removeReply, this.chat.text("replyRemove"));
    this.placeholder = composer?.placeholder ?? this.chat.text("placeholder");
    this.disclaimer.update(asText(disclaimer?.text));
    this.footer.hidden = !disclaimer?.text;
    setAttribute(this.footer, "data-contrast", disclaimer?.highContrast ? "high" : null);
    setAttribute(this.input, "aria-autocomplete", entities?.onTagSearch || commands?.enabled ? "list" : null);
    this.completion.close();
  }

  update() {
    // The parts tell of their changes from the first, before there is a whole.
    if (!this.node || this.placeholder === undefined) return;
    const { phase, canSend, canStop, isWritable, thread } = this.chat.conversation;
    const stops = phase === "answering" && canStop;
    const { hold } = this.attachments;
    if (this.#wasHeld && !hold) this.say("");
    this.#wasHeld &&= hold !== null;
    nameButton(this.button, this.chat.text(stops ? "stop" : "send"));
    setAttribute(this.button, "data-stops", stops);
    // Not the attribute "disabled": it would drop the focus of who has just sent.
    const isHeld = !canSend || !this.#hasMessage || this.dictation.isActive || hold;
    setAttribute(this.button, "aria-disabled", String(!stops && !!isHeld));
    setAttribute(this.button, "aria-description", hold && !stops ? this.chat.text(hold) : null);
    const placeholder = this.tools.selected?.placeholderOverride || this.placeholder;
    setAttribute(this.input, "placeholder", placeholder);
    setAttribute(this.input, "aria-label", placeholder);
    setAttribute(this.box, "data-dictating", this.dictation.isActive);
    if (!isWritable && this.box.matches(":focus-within")) this.chat.frame.thread.scroller.focus();
    this.box.hidden = !isWritable;
    this.notice.hidden = isWritable;
    if (isWritable) return;
    const { type, reason } = /** @type {{type: string, reason?: string}} */ (thread?.status ?? {});
    setText(this.notice, asText(reason) || this.chat.text(type === "closed" ? "threadClosed" : "threadLocked"));
    this.say("");
    this.dictation.cancel();
  }

  focus() {
    this.input.focus();
  }

  openFiles() {
    this.attachments.openFiles();
  }

  /** @param {string} text what is replied to; "" for nothing */
  setReply(text) {
    this.#reply = asText(text).trim();
    this.reply.hidden = !this.#reply;
    setText(this.quoted, asLabel(this.#reply));
  }

  /** What is not given stays as it is. @param {Parameters<OpenAIChatKit["setComposerValue"]>[0]} value */
  setValue({ text, content, reply, attachments, files, selectedToolId, selectedModelId }) {
    if (content !== undefined || text !== undefined) {
      const value = content ? fromContent(content) : { text: asText(text), tags: [] };
      this.editor.set(value.text, value.tags);
    }
    if (reply !== undefined) this.setReply(reply);
    if (attachments !== undefined) this.attachments.set(attachments);
    if (files) this.attachments.add([...files]);
    if (selectedToolId !== undefined) this.tools.select(selectedToolId);
    if (selectedModelId !== undefined) this.models.select(selectedModelId);
  }

  /** @param {string} text what went wrong; "" for nothing */
  say(text) {
    if (!this.problem) return;
    this.problem.hidden = !text;
    setText(this.problem, text);
  }

  get #hasMessage() {
    return !this.editor.isEmpty || this.attachments.ready.length > 0;
  }

  #listen() {
    this.node.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.node.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.dictation.isActive) this.dictation.cancel();
    });
    this.box.addEventListener("click", ({ target }) => {
      if (target === this.box || target === this.controls) this.focus();
    });
    this.input.addEventListener("keydown", (event) => this.#onKeyDown(event));
    this.input.addEventListener("paste", (event) => {
      const { files, types } = event.clipboardData ?? new DataTransfer();
      // What was copied from a document is there as a text and, beside it, as an image.
      if (!files.length || types.includes("text/plain") || !this.attachments.isOffered) return;
      event.preventDefault();
      this.attachments.add([...files]);
    });
  }

  #plusEntries() {
    const attach = { label: this.chat.text("attach"), icon: "paperclip", onSelect: () => this.openFiles() };
    const tools = this.tools.entries(true).map((entry) => ({
      ...entry,
      onSelect: () => {
        entry.onSelect();
        this.focus();
      },
    }));
    return [...(this.attachments.isOffered ? [attach] : []), ...tools];
  }

  #startMention() {
    this.focus();
    const isApart = /(^|\s)$/.test(this.editor.text.slice(0, this.input.selectionStart));
    this.editor.insert(isApart ? "@" : " @");
  }

  /** @param {KeyboardEvent} event */
  #onKeyDown(event) {
    if (this.completion.onKeyDown(event)) return;
    if (event.key !== "Enter" || event.shiftKey || this.editor.isComposing(event)) return;
    event.preventDefault();
    if (this.chat.conversation.canSend) this.#submit();
  }

  #submit() {
    const { phase, canSend, canStop } = this.chat.conversation;
    if (phase === "answering" && canStop) {
      this.chat.stop();
      this.focus();
      return;
    }
    const { editor, attachments, tools, models, chat } = this;
    if (!canSend) return;
    // A message that went off by itself once the files are there would take half a sentence with it.
    if (attachments.hold) this.say(chat.text(attachments.hold));
    this.#wasHeld = attachments.hold !== null;
    if (this.#wasHeld || this.dictation.isActive || !this.#hasMessage) return;
    const message = {
      content: toContent(editor),
      attachments: attachments.ready,
      quotedText: this.#reply || undefined,
      inferenceOptions: {
        ...(tools.selected && { tool_choice: { id: tools.selected.id } }),
        ...(models.selected && { model: models.selected.id }),
      },
    };
    attachments.clear();
    this.setReply("");
    editor.set("");
    if (!tools.selected?.persistent) tools.select(null);
    this.focus();
    chat.send(message);
  }
}
