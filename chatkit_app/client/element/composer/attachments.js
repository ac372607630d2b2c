/** The files of a message that is being written: added, uploaded, shown, removed. */
import { h, setAttribute, setChildren, setText } from "../dom.js";
import { icon } from "../icons.js";
import { iconButton, nameButton } from "../ui/buttons.js";
import { asLabel, asList, asObject, asText } from "../values.js";
import { acceptAttribute, formatSize, objectionTo, remove, strategyOf, upload } from "./files.js";
import { addStyles } from "../style-sheet.js";
import { attachmentStyles } from "./attachments.css.js";
/** @import {Chat} from "../chat.js" */
/** @import {StringKey} from "../host.js" */
/** @import {Attachment} from "../protocol.js" */

addStyles({ attachments: attachmentStyles });

const MAX_COUNT = 10;
const THUMBNAIL = 96;
/** Answers to what is wrong with a file itself. */
const FINAL = [400, 413, 415, 422];

/**
 * @typedef {object} Entry
 * @property {File} [file]
 * @property {"uploading"|"ready"|"failed"} state
 * @property {boolean} [isRefused] for good: the same file would be again
 * @property {Attachment} [attachment] once the server has it
 * @property {AbortController} controller
 * @property {string} name
 * @property {Element|null} [picture]
 * @property {HTMLElement} node
 * @property {HTMLElement} place of the picture
 * @property {HTMLElement} note
 * @property {HTMLElement} retry
 * @property {HTMLElement} remove
 */

export class Attachments {
  isOffered = false;
  /** @type {Entry[]} */
  #entries = [];
  /** @type {Promise<void>|undefined} the first upload: a visitor's makes the session, and two at once would make two */
  #first;

  /**
   * @param {Chat} chat
   * @param {{say: (text: string) => void, onChange: () => void}} composer
   */
  constructor(chat, { say, onChange }) {
    this.chat = chat;
    this.say = say;
    this.onChange = onChange;
    this.node = h("ul", { class: "files", role: "list", part: "attachments", hidden: true });
    this.picker = h("input", { type: "file", multiple: true, hidden: true, tabindex: "-1" });
    this.picker.addEventListener("change", () => {
      this.add([...(this.picker.files ?? [])]);
      // The same file can be chosen again after it was removed.
      this.picker.value = "";
    });
    this.dropZone = h("div", { class: "drop-zone", part: "drop-zone", hidden: true });
  }

  configure() {
    const option = this.chat.options.composer?.attachments;
    const enabled = Boolean(option?.enabled);
    this.isOffered = enabled && Boolean(strategyOf(this.chat));
    if (enabled && !this.isOffered) console.warn("Attachments need api.uploadStrategy, and are not offered without.");
    setAttribute(this.picker, "accept", option && acceptAttribute(option));
    setAttribute(this.node, "aria-label", this.chat.text("attachments"));
    this.dropZone.replaceChildren(icon("paperclip"), this.chat.text("dropFiles"));
    for (const entry of this.#entries) this.#draw(entry);
    if (this.dropZone.parentNode || !this.chat.frame) return;
    this.chat.frame.node.append(this.dropZone);
    this.#listenForDrops(this.chat.frame.node);
  }

  /** @returns {Attachment[]} those that are there */
  get ready() {
    return this.#entries.flatMap(({ attachment, state }) => (attachment && state === "ready" ? [attachment] : []));
  }

  /** @returns {StringKey|null} why a message cannot go yet */
  get hold() {
    const inState = (/** @type {Entry["state"]} */ wanted) => this.#entries.filter(({ state }) => state === wanted);
    const failed = inState("failed");
    // What was refused for good is not to be had by another try.
    if (failed.length) return failed.every(({ isRefused }) => isRefused) ? "attachmentsRefused" : "attachmentsFailed";
    return inState("uploading").length ? "attachmentsUploading" : null;
  }

  openFiles() {
    if (this.isOffered) this.picker.click();
  }

  /**
   * Upload files, or say which cannot be.
   *
   * @param {File[]} files
   */
  add(files) {
    const option = this.chat.options.composer?.attachments;
    if (!this.isOffered || !option || !files.length) return;
    const count = option.maxCount ?? MAX_COUNT;
    /** @type {Set<string>} */
    const objections = new Set();
    for (const file of files) {
      const name = asLabel(file.name);
      const objection = objectionTo(file, option);
      if (objection) {
        const size = formatSize(objection.limit ?? 0, this.chat.language);
        objections.add(this.chat.text(objection.key, { name: shorten(name), size }));
      } else if (this.#entries.length >= count) objections.add(this.chat.text("filesTooMany", { count }));
      else this.#upload(this.#append({ file, name, state: "uploading" }));
    }
    this.say([...objections].join(" "));
    this.onChange();
  }

  /** Have these, which the server has already. @param {unknown} attachments */
  set(attachments) {
    this.clear();
    for (const attachment of asList(attachments)) {
      const { id, name } = asObject(attachment);
      if (asText(id)) this.#append({ attachment, name: asLabel(name), state: "ready" });
    }
    this.onChange();
  }

  /** They have been sent. */
  clear() {
    for (const { controller } of this.#entries) controller.abort();
    this.#entries = [];
    this.#show();
  }

  /** @param {Pick<Entry, "file"|"attachment"|"name"|"state">} fields */
  #append(fields) {
    const { name } = fields;
    const place = h("span", { class: "file-picture" });
    const note = h("bdi", { class: "file-note" });
    const text = h("span", { class: "file-text" }, h("bdi", { class: "file-name", title: name }, name), note);
    // They stay: a press is lost on one that is made anew while the file arrives.
    const retry = iconButton("reload", () => this.#retry(entry));
    const remove = iconButton("close", () => this.#remove(entry));
    const node = h("li", { class: "file", part: "attachment" }, place, text, retry, remove);
    /** @type {Entry} */
    const entry = { ...fields, controller: new AbortController(), node, place, note, retry, remove };
    this.#entries.push(entry);
    this.#draw(entry);
    this.#show();
    this.#picture(entry);
    return entry;
  }

  /** @param {Entry} entry */
  async #upload(entry) {
    const { controller, file, name } = entry;
    entry.state = "uploading";
    entry.isRefused = false;
    this.#draw(entry);
    try {
      const start = () => upload(this.chat, /** @type {File} */ (file), controller.signal);
      const uploading = this.#first ? this.#first.then(start) : start();
      this.#first ??= uploading.then(
        () => {},
        () => {},
      );
      entry.attachment = await uploading;
      if (controller.signal.aborted) remove(this.chat, entry.attachment);
      entry.state = "ready";
    } catch (error) {
      entry.state = "failed";
      if (!controller.signal.aborted) {
        this.chat.log("composer.attachment.upload.failed", { name, error: String(error) });
        // Only what the server said is in the user's language.
        const { status, message } = asObject(error);
        const reason = status ? asText(message) : "";
        entry.isRefused = Boolean(reason) && FINAL.includes(status);
        this.say(`${this.chat.text("fileFailed", { name: shorten(name) })} ${reason}`.trim());
      }
    }
    if (!controller.signal.aborted) this.#draw(entry);
    this.onChange();
  }

  /** @param {Entry} entry */
  #remove(entry) {
    entry.controller.abort();
    if (entry.attachment) remove(this.chat, entry.attachment);
    this.#entries = this.#entries.filter((other) => other !== entry);
    this.#show();
    this.say("");
    this.chat.frame.composer.focus();
    this.onChange();
  }

  /** @param {Entry} entry */
  #retry(entry) {
    this.say("");
    this.chat.frame.composer.focus();
    this.#upload(entry);
    this.onChange();
  }

  #show() {
    setChildren(
      this.node,
      this.#entries.map(({ node }) => node),
    );
    this.node.hidden = !this.#entries.length;
  }

  /** @param {Entry} entry */
  #draw(entry) {
    const { file, name, node, state, picture, place, retry, remove } = entry;
    const { chat } = this;
    const size = file ? formatSize(file.size, chat.language) : "";
    const note = { uploading: chat.text("uploading"), failed: chat.text("uploadFailed"), ready: size }[state];
    nameButton(remove, chat.text("removeFile", { name: shorten(name) }));
    nameButton(retry, chat.text("retryFile", { name: shorten(name) }));
    setAttribute(node, "data-state", state);
    place.replaceChildren(state === "uploading" ? icon("spinner") : (picture ?? icon("document")));
    setText(entry.note, note);
    entry.note.hidden = !note;
    if (retry.matches(":focus") && state !== "failed") remove.focus();
    retry.hidden = state !== "failed" || Boolean(entry.isRefused);
  }

  /** Drawn, not linked to: the page's policy may allow images of its own site alone. @param {Entry} entry */
  async #picture(entry) {
    const { file, attachment } = entry;
    if (attachment?.type === "image" && this.chat.host.mayLoad(asText(attachment.preview_url))) {
      entry.picture = h("img", { src: asText(attachment.preview_url), alt: "" });
    } else if (file?.type.startsWith("image/")) {
      const bitmap = await createImageBitmap(file, { resizeHeight: THUMBNAIL }).catch(() => null);
      if (!bitmap) return;
      const { width, height } = bitmap;
      const canvas = h("canvas", { width, height });
      canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
      bitmap.close();
      entry.picture = canvas;
    }
    if (entry.picture && this.#entries.includes(entry)) this.#draw(entry);
  }

  /** @param {HTMLElement} frame */
  #listenForDrops(frame) {
    const { dropZone } = this;
    const hasFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files");
    frame.addEventListener("dragenter", (event) => {
      const { conversation, isReadOnly } = this.chat;
      if (this.isOffered && conversation.isWritable && !isReadOnly && hasFiles(event)) dropZone.hidden = false;
    });
    // The zone covers everything from then on, so that it alone is left and dropped upon.
    dropZone.addEventListener("dragleave", () => (dropZone.hidden = true));
    dropZone.addEventListener("dragover", (event) => event.preventDefault());
    dropZone.addEventListener("drop", (event) => {
      event.preventDefault();
      dropZone.hidden = true;
      this.add([...(event.dataTransfer?.files ?? [])]);
    });
  }
}

/** @param {string} name */
function shorten(name) {
  return name.length > 60 ? `${name.slice(0, 40).toWellFormed()}…${name.slice(-16).toWellFormed()}` : name;
}
