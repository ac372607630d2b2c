/** The nodes of a widget: what an update makes of their tree, and which of their views stay. */
import { setChildren } from "../dom.js";
import { asList, asText } from "../values.js";
/** @import {WidgetView} from "./index.js" */

/** What the server sent as a node: nothing is certain of it. @typedef {Record<string, any>} Props */
/** What a node is in. @typedef {{widget: WidgetView, depth: number, node?: Element}} Parent */
/** @typedef {{node: HTMLElement, update: (props: Props) => void, props?: Props}} View */
/** @typedef {(parent: Parent, props: Props) => View} Kind */

export const MAX_CHILDREN = 1000;
const MAX_DEPTH = 50;

/** @type {(children: unknown) => Props[]} */
export const asNodes = (children) =>
  asList(Array.isArray(children) ? children : [children]).filter((child) => typeof child === "object");

/**
 * The tree with one component changed. What does not hold it stays the same object, so that views see that it did.
 *
 * @param {any} tree
 * @param {unknown} id
 * @param {(component: Props) => unknown} change
 * @param {number} [depth]
 * @returns {any}
 */
export function changeComponent(tree, id, change, depth = 0) {
  if (typeof tree !== "object" || !tree || depth > 2 * MAX_DEPTH) return tree;
  if (!Array.isArray(tree)) {
    if (id && tree.id === id) return change(tree);
    const children = changeComponent(tree.children, id, change, depth + 1);
    return children === tree.children ? tree : { ...tree, children };
  }
  for (const [index, child] of tree.entries()) {
    const changed = changeComponent(child, id, change, depth + 1);
    if (changed !== child) return tree.with(index, changed);
  }
  return tree;
}

/** A text, longer by what has come. @type {(text: Props, update: Props) => Props} */
export function grown(text, { delta, done }) {
  return { ...text, value: asText(text.value) + asText(delta), streaming: !done };
}

/**
 * Children in a DOM node. A view stays while its type and its key, id or name do; without one it goes by its place.
 *
 * @param {Parent} parent
 * @param {Element} node
 * @returns {(children: unknown, limit?: number) => void}
 */
export function childrenOf({ widget, depth }, node) {
  /** @type {Map<string, View>} */
  let views = new Map();
  const parent = { widget, depth: depth + 1, node };
  return (children, limit = MAX_CHILDREN) => {
    const before = views;
    /** @type {Record<string, number>} */
    const counts = {};
    views = new Map();
    for (const props of depth < MAX_DEPTH ? asNodes(children).slice(0, limit) : []) {
      const isOther = Boolean(props.asForm || props.editable || props.header);
      const name = `${asText(props.type)} ${isOther} ${asText(props.key ?? props.id ?? props.name)}`;
      counts[name] = (counts[name] ?? 0) + 1;
      const key = name + counts[name];
      const view = before.get(key) ?? widget.create(parent, props);
      if (!view) break;
      views.set(key, view);
      if (view.props !== props) view.update(props);
      view.props = props;
    }
    // Those that go first: what stays, and may have the focus, need not move then.
    for (const [key, view] of before) if (!views.has(key)) view.node.remove();
    setChildren(
      node,
      [...views.values()].map((view) => view.node),
    );
  };
}
