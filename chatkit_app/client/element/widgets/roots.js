/** What a widget can be as a whole: a card, a list, or just what is in it. */
import { h, setText } from "../dom.js";
import { icon } from "../icons.js";
import { imageNode } from "../ui/remote-image.js";
import { asLabel, asNumber, asObject } from "../values.js";
import { ACTIONS, onSubmit } from "./actions.js";
import { box } from "./content.js";
import { newId } from "./fields.js";
import { asNodes, childrenOf, MAX_CHILDREN } from "./nodes.js";
import { setBackground, setBorder, setBox, setSpacing, word } from "./tokens.js";
/** @import {Host} from "../host.js" */
/** @import {Kind, Props} from "./nodes.js" */

const AUTO_LIMIT = 4;
const PAGE = 100;

/** What stands above a card or a list. @type {(host: Host, node: HTMLElement, props: Props) => void} */
function setStatus(host, node, { status }) {
  const { text, icon: name, favicon, frame } = asObject(status);
  const isLoadable = favicon && host.mayLoad(favicon);
  const sign = isLoadable ? imageNode(host, { src: favicon }) : (name || favicon) && icon(name ?? "globe");
  if (isLoadable && frame === true) sign.classList.add("w-framed");
  node.replaceChildren(...(sign ? [sign] : []), h("span", { dir: "auto" }, asLabel(text)));
  node.hidden = !text;
}

/** @type {(onclick: () => void) => HTMLButtonElement} */
const bar = (onclick) => h("button", { type: "button", class: "w-toggle", onclick });

/** @type {Record<string, Kind>} */
export const ROOTS = {
  Basic(parent) {
    const { node, update } = box(parent);
    return {
      node,
      update: ({ gap, padding, align, justify, direction, theme, children }) =>
        update({ gap, padding, align, justify, direction, theme, children }),
    };
  },

  Card(parent, { asForm }) {
    const { widget } = parent;
    const node = h(asForm === true ? "form" : "div");
    const status = h("div", { class: "w-status", part: "widget-status" });
    const body = h("div", { class: "w-box w-body", "data-direction": "col", "data-spaced": true });
    const confirm = ACTIONS.Button(parent, {});
    const cancel = ACTIONS.Button(parent, {});
    const footer = h("div", { class: "w-footer" }, confirm.node, cancel.node);
    const toggle = bar(() => fold(!body.hidden));
    const card = h("div", { class: "w-card", part: "widget-card" }, body, toggle);
    const children = childrenOf(parent, body);
    /** @type {Props} */
    let shown = {};
    const fold = (/** @type {boolean} */ isFolded) => {
      const hadFocus = node.contains(widget.focused);
      body.hidden = isFolded;
      footer.hidden = isFolded || !(shown.confirm || shown.cancel);
      toggle.hidden = shown.collapsed !== true;
      toggle.ariaExpanded = String(!isFolded);
      const text = widget.host.text(isFolded ? "showDetails" : "hideDetails");
      toggle.replaceChildren(...(toggle.hidden ? [] : [text, icon("chevron-down")]));
      if (isFolded && hadFocus) toggle.focus();
    };
    const act = async (/** @type {unknown} */ action, source = confirm.node) => {
      if ((await widget.act(action, source, "container")) && shown.collapsed === true) fold(true);
    };
    if (asForm === true) onSubmit(node, () => act(asObject(shown.confirm).action));
    node.append(status, card, footer);
    return {
      node,
      update(props) {
        const before = shown;
        shown = props;
        setStatus(widget.host, status, props);
        setBackground(card, props);
        setBorder(card, props.border);
        setSpacing(body, "padding", props.padding);
        card.dataset.size = word(props.size, "md lg full") || "sm";
        children(props.children);
        for (const [button, config, look] of [
          [confirm, props.confirm, { style: "primary", submit: asForm }],
          [cancel, props.cancel, { variant: "outline" }],
        ]) {
          const { label, action } = asObject(config);
          button.node.hidden = !config;
          button.update({ ...look, label: asLabel(label) || (config && "…"), onClickAction: action, act });
        }
        // It folds when its action is over: one that comes with its buttons still waits for that.
        const waits = (props.confirm || props.cancel) && (!before.type || before.collapsed === true);
        if (before.collapsed !== props.collapsed || !before.type) fold(props.collapsed === true && !waits);
        else footer.hidden = body.hidden || !(props.confirm || props.cancel);
      },
    };
  },

  ListView(parent) {
    const { widget } = parent;
    const status = h("div", { class: "w-status", part: "widget-status" });
    const list = h("ul", { role: "list" });
    const children = childrenOf(parent, list);
    /** @type {Props} */
    let shown = {};
    let extra = 0;
    const more = bar(() => {
      const next = list.children.length;
      extra += PAGE;
      update(shown);
      // The button may be gone: go on from where it was.
      const item = list.children[next];
      const target = /** @type {HTMLElement} */ (item?.querySelector("button:not([hidden])") ?? item ?? list);
      target.tabIndex = target.localName === "button" ? 0 : -1;
      target.focus({ preventScroll: true });
    });
    const update = (/** @type {Props} */ props) => {
      shown = props;
      setStatus(widget.host, status, props);
      setBackground(node, { theme: props.theme });
      const items = asNodes(props.children).map((child) =>
        child.type === "ListViewItem" ? child : { type: "ListViewItem", children: [child] },
      );
      const limit = asNumber(props.limit, AUTO_LIMIT);
      const count = Math.min(Math.max(limit, 1) + extra, MAX_CHILDREN);
      children(items, count);
      const hidden = Math.min(items.length, MAX_CHILDREN) - count;
      more.hidden = hidden <= 0;
      setText(label, widget.host.text("showMoreOf", { count: hidden }));
    };
    const label = h("span", {});
    more.append(label, icon("chevron-down"));
    const node = h("div", { class: "w-list", part: "widget-list" }, status, list, more);
    return { node, update };
  },

  /** If it does something, a button lies over all of it but the controls that it holds. */
  ListViewItem(parent) {
    const { widget } = parent;
    const content = h("div", { id: newId(), class: "w-box" });
    const cover = h("button", { type: "button", class: "w-cover", "aria-labelledby": content.id });
    const children = childrenOf(parent, content);
    /** @type {unknown} */
    let action;
    cover.onclick = () => widget.act(action, cover, "container");
    return {
      node: h("li", { class: "w-item", part: "widget-list-item" }, cover, content),
      update({ children: nodes, gap, align, onClickAction }) {
        action = onClickAction;
        setBox(content, { gap, align }, "row");
        children(nodes);
        cover.hidden = !action || !widget.isUsable(action);
      },
    };
  },
};
