/** Building DOM nodes. Texts are always text nodes: nothing in the element is ever parsed as HTML. */

/**
 * @param {string} tag
 * @param {object} [properties] `class`, `on…` listeners, `aria-*`, `data-*`, `role` and other attributes; null, false
 *   and undefined leave one out
 * @param {...(Node|string|null)} children
 */
export function h(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** Set an attribute, or remove it for null, undefined and false. */
export function setAttribute(node, name, value) {
  if (value === null || value === undefined || value === false) node.removeAttribute(name);
  else node.setAttribute(name, value === true ? "" : value);
}

/** Set a text, leaving the node alone when it has it already. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** A URL that may be followed from a message (http, https, mailto), or null. */
export function safeUrl(text) {
  try {
    const url = new URL(text, document.baseURI);
    return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}
