/** The form in which a member of the staff answers: a draft that outlives a reload, keys, a preview, canned replies. */
import { CannedReplies } from "./canned-replies.js";

/** Milliseconds after the last key before the preview follows. */
const PREVIEW_DELAY = 150;

/**
 * @typedef {object} Setting
 * @property {string} draftKey under which the draft is kept
 * @property {string} cannedUrl
 * @property {Record<string, string>} strings
 * @property {() => void} onTyping
 * @property {(text: string) => void} onPreview the preview is to show this
 */

/**
 * @param {HTMLFormElement} form
 * @param {Setting} setting
 */
export function equipReply(form, { draftKey, cannedUrl, strings, onTyping, onPreview }) {
  const field = /** @type {HTMLTextAreaElement} */ (form.elements.namedItem("text"));
  const files = /** @type {HTMLInputElement|null} */ (form.elements.namedItem("uploads"));
  const button = /** @type {HTMLButtonElement} */ (form.querySelector("[data-chatkit-preview]"));
  const preview = /** @type {HTMLElement} */ (document.getElementById("chatkit-preview"));
  const canned = new CannedReplies(field, cannedUrl, strings);
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  let timer;

  const keepDraft = () => {
    // Not for long: what is written to a person stays in this tab.
    if (field.value) sessionStorage.setItem(draftKey, field.value);
    else sessionStorage.removeItem(draftKey);
  };
  const showPreview = () => {
    clearTimeout(timer);
    if (!preview.hidden) timer = setTimeout(() => onPreview(field.value), PREVIEW_DELAY);
  };
  const grow = () => {
    field.style.blockSize = "auto";
    field.style.blockSize = `${field.scrollHeight + 2}px`;
  };
  field.value ||= sessionStorage.getItem(draftKey) ?? "";
  grow();
  field.addEventListener("input", () => {
    keepDraft();
    grow();
    showPreview();
    if (field.value) onTyping();
  });
  field.addEventListener("keydown", (event) => {
    if (canned.takes(event)) return;
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  // What is being sent is not changed meanwhile.
  form.addEventListener("submit", () => (field.readOnly = true));
  form.addEventListener("chatkit:unsent", () => (field.readOnly = false));
  form.addEventListener("chatkit:sent", () => {
    field.readOnly = false;
    field.value = "";
    if (files) files.value = "";
    keepDraft();
    grow();
    showPreview();
    field.focus({ preventScroll: true });
  });
  for (const hint of form.querySelectorAll("[data-chatkit-scripted]")) hint.removeAttribute("hidden");
  button.hidden = false;
  button.addEventListener("click", () => {
    preview.hidden = !preview.hidden;
    button.setAttribute("aria-expanded", String(!preview.hidden));
    if (!preview.hidden) onPreview(field.value);
  });
}
