/** What can be pressed and sent: buttons, forms, and what fields add to an action. */
import { h, setAttribute } from "../dom.js";
import { asLabel, asObject } from "../values.js";
import { box, setTone, sizedIcon } from "./content.js";
import { setSize } from "./fields.js";
import { pick } from "./tokens.js";
/** @import {Kind, Props} from "./nodes.js" */

/** Names that mean something else to JavaScript than to whoever reads a payload. */
const FORBIDDEN = /^(|__proto__|constructor|prototype)$/;

/**
 * A payload with the values of the fields around where its action comes from. The SDK's guide has it so: every action
 * out of a form carries all of its fields; "todo.title" is `payload.todo.title`; what a payload has, it keeps.
 *
 * @param {any} payload
 * @param {HTMLElement} source
 * @returns {any}
 */
export function withFields(payload, source) {
  const form = source.closest("form");
  if (Array.isArray(payload) || typeof (payload ?? {}) !== "object") return payload;
  let whole = payload;
  for (const field of form?.querySelectorAll("[data-name]") ?? [source]) {
    // Those of a form within this one are its own; those that are disabled do not count, as in HTML.
    if (field.closest("form") !== form || field.matches(":disabled")) continue;
    const path = field.getAttribute("data-name")?.split(".") ?? [""];
    if (!path.some((name) => FORBIDDEN.test(name))) whole = withValue(asObject(whole), path, valueOf(field));
  }
  return whole;
}

/** @type {(object: Props, path: string[], value: unknown) => Props} */
function withValue(object, [name, ...rest], value) {
  const known = Object.hasOwn(object, name) ? object[name] : undefined;
  const isFree = known === undefined || (rest.length && typeof known === "object");
  if (!isFree) console.warn(`The payload has "${name}" already: the value of the field is left out.`);
  return isFree ? { ...object, [name]: rest.length ? withValue(asObject(known), rest, value) : value } : object;
}

/** @type {(field: any) => string | boolean} */
const valueOf = (field) =>
  field.type === "checkbox" ? field.checked : (field.value ?? field.querySelector(":checked")?.value ?? "");

/**
 * Have a form submit, by Enter too, however many fields and buttons it has.
 *
 * @type {(form: HTMLElement, submit: () => void) => void}
 */
export function onSubmit(form, submit) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    event.stopPropagation();
    submit();
  });
  form.addEventListener("keydown", (event) => {
    const field = /** @type {HTMLInputElement} */ (event.target);
    if (event.key !== "Enter" || event.isComposing || field.form !== form || !field.matches("input.w-control")) return;
    event.preventDefault();
    field.form.requestSubmit();
  });
}

/** Of a button, by its own size and by that of the button. */
const ICONS = { sm: 16, md: 18, lg: 20, xl: 22, "2xl": 24 };
const ICONS_WITHIN = { "3xs": 14, "2xs": 16, xs: 16, "2xl": 20, "3xl": 20 };

/** @type {Record<"Button" | "Form", Kind>} */
export const ACTIONS = {
  Form(parent) {
    const node = h("form", { class: "w-form", part: "widget-form" });
    /** @type {Props} */
    let shown = {};
    const { update } = box(parent, "col", node);
    onSubmit(node, () => parent.widget.act(shown.onSubmitAction, node, "container"));
    return { node, update: (props) => update((shown = props)) };
  },

  /** Its action goes before that of the form which it submits. */
  Button({ widget }) {
    /** @type {Props} */
    let shown = {};
    const node = h("button", { class: "w-button", part: "widget-button" });
    node.addEventListener("click", (event) => {
      const { submit, onClickAction } = shown;
      const form = submit === true ? node.closest("form") : null;
      if (form && !onClickAction) return;
      event.preventDefault();
      if (form && !form.reportValidity()) return;
      // That of a card is the card's: it waits as a whole.
      if (typeof shown.act === "function") shown.act(onClickAction, node);
      else widget.act(onClickAction, node, "self");
    });
    return {
      node,
      update(props) {
        shown = props;
        const { iconStart, iconEnd, onClickAction, style, submit } = props;
        const iconSize = pick(ICONS, props.iconSize, pick(ICONS_WITHIN, props.size, ICONS.md));
        const label = asLabel(props.label);
        const iconNode = (/** @type {unknown} */ name) => (name ? [sizedIcon(name, iconSize)] : []);
        node.replaceChildren(...iconNode(iconStart), ...(label ? [h("span", {}, label)] : []), ...iconNode(iconEnd));
        setTone(node, { color: "primary", pill: "auto", ...props }, style === "secondary" ? "outline" : "solid");
        setSize(node, { size: "lg", ...props });
        node.type = props.submit === true ? "submit" : "button";
        // What does nothing is not offered.
        const isUsable = widget.isUsable(onClickAction);
        node.disabled = (props.disabled ?? !(onClickAction || submit)) === true || !isUsable;
        setAttribute(node, "aria-label", label ? null : asLabel(iconStart ?? iconEnd).replaceAll("-", " "));
        setAttribute(node, "data-uniform", props.uniform === true);
      },
    };
  },
};
