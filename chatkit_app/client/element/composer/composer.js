/** Where the message is written: Enter sends, Shift+Enter breaks the line, one button sends or stops. */
import { h, setAttribute, setText } from "../dom.js";
import { icon } from "../icons.js";
import { MarkdownText } from "../markdown-text.js";
import { iconButton, nameButton } from "../ui/buttons.js";
import { asLabel, asList, asObject, asText } from "../values.js";
import { Editor } from "./editor.js";
import { Extras } from "./extras.js";
import { addStyles } from "../style-sheet.js";
import { composerStyles } from "./composer.css.js";
/** @import {OpenAIChatKit} from "@openai/chatkit" */
/** @import {Chat} from "../chat.js" */
/** @import {StringKey} from "../host.js" */
/** @import {Asking} from "../items/structured-input.js" */

addStyles({ composer: composerStyles });

/** The composer: text with tags, files, a tool, a model and a quotation, until they are sent. */
export class ComposerView {
  #reply = "";
  /** It was said why the message cannot go yet. */
  #wasHeld = false;
  /** Files that wait for the part that takes them. */
  #waitingFiles = 0;
  /** @type {Asking|null} */
  #asking = null;

  /** @param {Chat} chat */
  constructor(chat) {
    this.chat = chat;
    this.onChange = () => this.update();
    this.say = (/** @type {string} what went wrong; "" for nothing */ text) => this.#say(text);
    this.editor = new Editor(() => {
      this.say("");
      this.extras?.completion.update();
      this.update();
      this.#write();
    });
    this.input = this.editor.input;
    this.extras = new Extras(this);

    this.quoted = h("span", { class: "reply-text", dir: "auto" });
    this.removeReply = iconButton("close", () => {
      this.setReply("");
      this.focus();
    });
    const quoted = [icon("quote"), this.quoted, this.removeReply];
    this.reply = h("div", { class: "reply", part: "reply", hidden: true }, ...quoted);
    this.plus = iconButton("plus", () => {}, { class: "icon-button plus" });
    this.attach = iconButton("paperclip", () => this.openFiles());
    this.mention = iconButton("at", () => this.#startMention());
    this.dictate = iconButton("microphone", () => this.startDictation(), {
      part: "dictation",
      ...chat.ahead("dictation"),
    });
    // Where the parts that come later have their place.
    this.tools = h("span", { class: "tools" });
    this.model = h("span", { class: "models" });
    this.files = h("div", { class: "files-place" });
    this.sound = h("div", { class: "dictation-place" });
    this.button = h(
      "button",
      { type: "submit", class: "send", part: "send" },
      icon("arrow-up"),
      h("span", { class: "stop-square", "aria-hidden": "true" }),
    );
    this.controls = h(
      "div",
      { class: "controls" },
      h("span", { class: "choices" }, this.plus, this.attach, this.mention, this.tools),
      this.sound,
      h("span", { class: "sending" }, this.model, this.dictate, this.button),
    );
    this.box = h("div", { class: "box", part: "composer" }, this.reply, this.files, this.editor.node, this.controls);
    this.problem = h("p", { class: "problem", role: "alert", dir: "auto", hidden: true });
    // Where the assistant's questions are asked, in place of the box.
    this.questions = h("div", {});
    this.notice = h("p", { class: "read-only", role: "status", dir: "auto" });
    this.disclaimer = new MarkdownText(chat.host);
    this.footer = h("div", { class: "disclaimer", part: "disclaimer" }, this.disclaimer.node);
    this.node = h("form", { class: "composer" }, this.notice, this.problem, this.questions, this.box, this.footer);
    this.#listen();
  }

  configure() {
    const { commands, composer, disclaimer, entities } = this.chat.options;
    const { extras } = this;
    extras.configure();
    this.mention.hidden = !entities?.onTagSearch || !entities.showComposerMenu;
    this.dictate.hidden = !extras.offersDictation;
    // With nothing but a text to write, one row is enough.
    setAttribute(this.box, "data-choices", extras.offersFiles || !this.mention.hidden || extras.wantsChoices);
    nameButton(this.dictate, this.chat.text("dictate"));
    nameButton(this.plus, this.chat.text("composerMenu"));
    nameButton(this.attach, this.chat.text("attach"));
    nameButton(this.mention, this.chat.text("mention"));
    nameButton(this.removeReply, this.chat.text("replyRemove"));
    this.placeholder = composer?.placeholder ?? this.chat.text("placeholder");
    this.disclaimer.update(asText(disclaimer?.text));
    this.footer.hidden = !disclaimer?.text;
    setAttribute(this.footer, "data-contrast", disclaimer?.highContrast ? "high" : null);
    setAttribute(this.input, "aria-autocomplete", entities?.onTagSearch || commands?.enabled ? "list" : null);
    this.update();
  }

  update() {
    // The parts tell of their changes from the first, before there is a whole.
    if (!this.node || this.placeholder === undefined) return;
    const { phase, canSend, canStop, isWritable, thread } = this.chat.conversation;
    const stops = phase === "answering" && canStop;
    const { dictation, tools } = this.extras;
    const hold = this.#hold;
    if (this.#wasHeld && !hold) this.say("");
    this.#wasHeld &&= hold !== null;
    nameButton(this.button, this.chat.text(stops ? "stop" : "send"));
    setAttribute(this.button, "data-stops", stops);
    // One button, for what can be done next: to speak while there is nothing to send.
    const speaks = !this.dictate.hidden && !stops && !this.#hasMessage && !hold;
    const hadFocus = this.button.matches(":focus");
    this.button.hidden = speaks;
    setAttribute(this.dictate, "data-main", speaks);
    if (speaks && hadFocus) this.dictate.focus();
    // Not the attribute "disabled": it would drop the focus of who has just sent.
    const isHeld = !canSend || !this.#hasMessage || dictation.isActive || hold;
    setAttribute(this.button, "aria-disabled", String(!stops && !!isHeld));
    setAttribute(this.button, "aria-description", hold && !stops ? this.chat.text(hold) : null);
    // The name is a person's who answers, if they have one.
    const { state, name } = asObject(thread?.handler);
    const toStaff = state && this.chat.text(name ? "messageStaff" : "messageTeam", { name: asText(name) });
    // Tools and models are the assistant's.
    setAttribute(this.box, "data-with-staff", !!state);
    this.plus.hidden = !!state || !asList(this.chat.options.composer?.tools).some(({ pinned }) => !pinned);
    this.attach.hidden = !this.extras.offersFiles || !this.plus.hidden;
    const placeholder = toStaff || tools.selected?.placeholderOverride || this.placeholder;
    setAttribute(this.input, "placeholder", placeholder);
    setAttribute(this.input, "aria-label", placeholder);
    setAttribute(this.box, "data-dictating", dictation.isActive);
    if (!isWritable && this.box.matches(":focus-within")) this.chat.frame.thread.scroller.focus();
    const isAsked = this.#ask();
    this.box.hidden = !isWritable || isAsked;
    this.notice.hidden = isWritable;
    if (isWritable) return;
    const { type, reason } = /** @type {{type: string, reason?: string}} */ (thread?.status ?? {});
    const text = this.chat.text(type === "closed" ? "threadClosed" : "threadLocked");
    setText(this.notice, `${text} ${asText(reason)}`.trim());
    this.say("");
    dictation.cancel();
  }

  /** Have what was not sent before a reload, if it was meant for this thread; what is written goes along to it. */
  keep() {
    const kept = this.editor.isEmpty && this.chat.drafts?.read(this.#thread);
    if (kept) this.editor.content = kept;
    if (!this.editor.isEmpty) this.#write();
  }

  focus() {
    if (!this.#asking?.focus()) this.input.focus();
  }

  /** Ask what the assistant wants to know, in place of the box. @returns {boolean} whether there is something */
  #ask() {
    const { items, isWritable } = this.chat.conversation;
    const item = items.at(-1);
    const isPending = item?.type === "structured_input" && item.status === "pending" && isWritable;
    const part = this.chat.part("structuredInput");
    if (part) this.#asking ??= new part.Asking(this);
    else if (isPending) this.chat.load("structuredInput").then(this.onChange, () => {});
    return this.#asking?.update(isPending ? item : null) ?? false;
  }

  openFiles() {
    this.#use(this.extras.withAttachments(), (attachments) => attachments.openFiles());
  }

  /**
   * Add files that were pasted or dropped, also before the part that takes them is there.
   *
   * @param {File[]} files
   */
  async takeFiles(files) {
    this.#waitingFiles += files.length;
    this.update();
    await this.#use(this.extras.withAttachments(), (attachments) => attachments.add(files));
    this.#waitingFiles -= files.length;
    this.update();
  }

  startDictation() {
    const { dictation } = this.extras;
    if (dictation.isActive) dictation.finish();
    else this.#use(this.extras.withDictation(), (loaded) => loaded.start());
  }

  /** @param {string} text what is replied to; "" for nothing */
  setReply(text) {
    this.#reply = asText(text).trim();
    this.reply.hidden = !this.#reply;
    setText(this.quoted, asLabel(this.#reply));
  }

  /** Another field to write in. @param {() => void} onChange */
  createEditor(onChange) {
    return new Editor(onChange);
  }

  /** What is not given stays as it is. @param {Parameters<OpenAIChatKit["setComposerValue"]>[0]} value */
  async setValue({ text, content, reply, attachments, files, selectedToolId, selectedModelId }) {
    if (content !== undefined || text !== undefined) {
      this.editor.content = content ?? [{ type: "input_text", text: asText(text) }];
    }
    if (reply !== undefined) this.setReply(reply);
    const { extras } = this;
    if (attachments !== undefined) (await extras.withAttachments()).set(attachments);
    if (files) (await extras.withAttachments()).add([...files]);
    if (selectedToolId !== undefined) (await extras.withChoices()).tools.select(selectedToolId);
    if (selectedModelId !== undefined) (await extras.withChoices()).models.select(selectedModelId);
  }

  /**
   * @template Extra
   * @param {Promise<Extra>} loading
   * @param {(extra: Extra) => void} use
   */
  async #use(loading, use) {
    try {
      use(await loading);
    } catch (error) {
      this.chat.dispatchError(error);
      this.say(this.chat.text("partMissing"));
    }
  }

  /** @param {string} text */
  #say(text) {
    if (!this.problem) return;
    this.problem.hidden = !text;
    setText(this.problem, text);
  }

  /** Why a message cannot go yet. @returns {StringKey|null} */
  get #hold() {
    return this.extras.attachments.hold ?? (this.#waitingFiles ? "attachmentsUploading" : null);
  }

  get #hasMessage() {
    return !this.editor.isEmpty || this.extras.attachments.ready.length > 0;
  }

  #listen() {
    this.node.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.node.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.extras.dictation.cancel();
    });
    this.box.addEventListener("click", ({ target }) => {
      if (target === this.box || target === this.controls) this.focus();
    });
    this.input.addEventListener("keydown", (event) => this.#onKeyDown(event));
    this.input.addEventListener("paste", (event) => {
      const { files, types } = event.clipboardData ?? new DataTransfer();
      // What was copied from a document is there as a text and, beside it, as an image.
      if (!files.length || types.includes("text/plain") || !this.extras.offersFiles) return;
      event.preventDefault();
      this.takeFiles([...files]);
    });
  }

  #write() {
    const { content, isEmpty } = this.editor;
    this.chat.drafts?.write(this.#thread, isEmpty ? null : content);
  }

  get #thread() {
    return this.chat.conversation.thread?.id ?? null;
  }

  /** What the plus opens. */
  plusEntries() {
    const attach = { label: this.chat.text("attach"), icon: "paperclip", onSelect: () => this.openFiles() };
    const tools = this.extras.tools.entries(true).map((entry) => ({
      ...entry,
      onSelect: () => {
        entry.onSelect();
        this.focus();
      },
    }));
    return [...(this.extras.offersFiles ? [attach] : []), ...tools];
  }

  #startMention() {
    this.focus();
    const isApart = /(^|\s)$/.test(this.editor.text.slice(0, this.input.selectionStart));
    this.editor.insert(isApart ? "@" : " @");
  }

  /** @param {KeyboardEvent} event */
  #onKeyDown(event) {
    if (this.extras.completion.onKeyDown(event)) return;
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
    const { editor, chat, extras } = this;
    const { attachments, tools, models } = extras;
    if (!canSend) return;
    // A message that went off by itself once the files are there would take half a sentence with it.
    const hold = this.#hold;
    if (hold) this.say(chat.text(hold));
    this.#wasHeld = hold !== null;
    if (this.#wasHeld || extras.dictation.isActive || !this.#hasMessage) return;
    const message = {
      content: editor.content,
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
    if (tools.selected && !tools.selected.persistent) tools.select(null);
    this.focus();
    chat.send(message);
  }
}
