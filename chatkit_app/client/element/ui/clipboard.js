/** Copying text. */
import { h, setStyle } from "../dom.js";

/**
 * @param {string} text
 * @returns {Promise<boolean>} whether it is in the clipboard now
 */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copySelected(text);
  }
}

/**
 * The way for pages without HTTPS, which have no clipboard.
 *
 * @param {string} text
 */
function copySelected(text) {
  const before = /** @type {HTMLElement|null} */ (document.activeElement);
  const inner = /** @type {HTMLElement|null|undefined} */ (before?.shadowRoot?.activeElement);
  const field = h("textarea", { readonly: true, "aria-hidden": "true" });
  setStyle(field, "position", "fixed");
  setStyle(field, "opacity", 0);
  field.value = text;
  document.body.append(field);
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  (inner ?? before)?.focus();
  return isCopied;
}
