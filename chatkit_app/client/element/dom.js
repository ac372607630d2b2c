/** Building DOM nodes. Texts are always text nodes: nothing in the element is ever parsed as HTML. */

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, any>} [properties] `class`, `on…` listeners, `aria-*`, `data-*`, `role` and other attributes;
 *   null, false and undefined leave one out
 * @param {...(Node|string|null|undefined|false)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children) if (child) node.append(child);
  return node;
}

/**
 * Set an attribute, or remove it for null, undefined and false.
 *
 * @param {Element} node
 * @param {string} name
 * @param {string|number|boolean|null|undefined} value
 */
export function setAttribute(node, name, value) {
  const text = value === true ? "" : String(value);
  if (value === null || value === undefined || value === false) node.removeAttribute(name);
  else if (node.getAttribute(name) !== text) node.setAttribute(name, text);
}

/**
 * Set a text, leaving the node alone when it has it already.
 *
 * @param {Node} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Set a style, or remove it for null, undefined and "".
 *
 * @param {HTMLElement|SVGElement} node
 * @param {string} name
 * @param {string|number|null|undefined} value
 */
export function setStyle(node, name, value) {
  if (value === undefined || value === null || value === "") node.style.removeProperty(name);
  else node.style.setProperty(name, String(value));
}

/**
 * Have exactly these children, in this order, moving none that is in its place.
 *
 * @param {Node} parent
 * @param {Node[]} children
 */
export function setChildren(parent, children) {
  children.forEach((child, index) => {
    const place = parent.childNodes[index] ?? null;
    if (place !== child) parent.insertBefore(child, place);
  });
  while (parent.childNodes.length > children.length) parent.lastChild?.remove();
}
