/** What can be typed and chosen: the browser's own, which every keyboard and screen reader knows, and a calendar. */
import { h, setAttribute, setText } from "../dom.js";
import { icon } from "../icons.js";
import { iconButton, nameButton } from "../ui/buttons.js";
import { asLabel, asList, asNumber, asObject, asText } from "../values.js";
import { setTextStyle, setTone } from "./content.js";
import { MAX_CHILDREN } from "./nodes.js";
import { pick, setMeasures, setStyles, word } from "./tokens.js";
/** @import {Kind, Parent, Props, View} from "./nodes.js" */
/** @import {Measures} from "./tokens.js" */

let ids = 0;
export const newId = () => `widget-${(ids += 1)}`;

/** @type {Record<string, Measures>} */
const CONTROLS = {
  "3xs": [22, 12, 6, 6],
  "2xs": [24, 12, 8, 6],
  xs: [26, 14, 8, 6],
  sm: [28, 14, 10, 8],
  md: [32, 14, 12, 8],
  lg: [36, 14, 12, 8],
  xl: [40, 14, 14, 10],
  "2xl": [44, 16, 14, 12],
  "3xl": [48, 16, 16, 12],
};
const GUTTERS = { "2xs": 6, xs: 8, sm: 10, md: 12, lg: 14, xl: 16 };

/** @type {(node: HTMLElement, props: Props) => void} */
export function setSize(node, { size, gutterSize, block }) {
  const [height, text, gutter, radius] = pick(CONTROLS, size, CONTROLS.md);
  setMeasures(node, [height, text, pick(GUTTERS, gutterSize, gutter), radius]);
  setAttribute(node, "data-block", block === true);
}

/**
 * A field. Its name is no `name`: one called "elements" or "submit" would hide what its form has under that name.
 *
 * @param {Parent} parent
 * @param {HTMLElement} field
 * @param {(props: Props) => void} show
 * @param {HTMLElement} [node] what it is in
 * @returns {View}
 */
function fieldView({ widget }, field, show, node = field) {
  /** @type {Props} */
  let shown = {};
  field.id = newId();
  field.addEventListener("change", () => widget.act(shown.onChangeAction, field, "none"));
  return {
    node,
    update(props) {
      shown = props;
      if (props.autoFocus === true && !field.isConnected) widget.wantsFocus = field;
      const name = asLabel(props.name);
      setAttribute(field, "data-name", name || null);
      setAttribute(field, "aria-label", asLabel(props.ariaLabel) || asLabel(props.placeholder) || name);
      setAttribute(field, "disabled", props.disabled === true || !widget.isUsable(props.onChangeAction));
      setAttribute(field, "required", props.required === true);
      setTone(field, props, "outline");
      setSize(field, props);
      show(props);
    },
  };
}

/** @type {(parent: Parent, field: HTMLInputElement | HTMLTextAreaElement) => View} */
function textField(parent, field) {
  /** @type {Props} */
  let shown = {};
  field.className = "w-control";
  field.dir = "auto";
  const check = () => {
    let fits = true;
    try {
      const pattern = asText(shown.pattern);
      fits = !pattern || !field.value || new RegExp(`^(?:${pattern})$`, "v").test(field.value);
    } catch {
      // As in a browser's own fields, what is no pattern is met by everything.
    }
    field.setCustomValidity(fits ? "" : parent.widget.host.text("patternMismatch"));
  };
  field.addEventListener("input", check);
  field.addEventListener("focus", () => shown.autoSelect === true && field.select());
  return fieldView(parent, field, (props) => {
    shown = props;
    const type = word(props.inputType, "number email password tel url") || "text";
    if (field instanceof HTMLInputElement) field.type = type;
    const isLeftAlone = props.allowAutofillExtensions !== true;
    setAttribute(field, "placeholder", asLabel(props.placeholder) || null);
    setAttribute(field, "autocomplete", asLabel(props.autoComplete) || (isLeftAlone ? "off" : null));
    setAttribute(field, "data-1p-ignore", isLeftAlone);
    setAttribute(field, "data-lpignore", isLeftAlone);
    const rows = Math.min(Math.max(Math.floor(asNumber(props.rows, 3)), 1), 50);
    if (field instanceof HTMLTextAreaElement) field.rows = rows;
    setStyles(field, { "--rows": rows, "--max-rows": Math.max(asNumber(props.maxRows, 12), rows) });
    field.classList.toggle("w-auto-resize", props.autoResize === true);
    // Gives way to what has been typed.
    field.defaultValue = asText(props.defaultValue);
    check();
  });
}

/** A text to be edited where it is. @type {Kind} */
export function editableText(parent, { value, minLines }) {
  const isLong = asNumber(minLines) > 1 || asText(value).includes("\n");
  const { node, update } = textField(parent, h(isLong ? "textarea" : "input"));
  node.classList.add("w-editable");
  return {
    node,
    update(props) {
      const rows = asNumber(props.minLines, 1);
      update({ autoResize: isLong, rows, ...asObject(props.editable), defaultValue: props.value, variant: "ghost" });
      setTextStyle(node, { ...props, truncate: false, maxLines: 0 });
    },
  };
}

/** A default that comes with an update replaces what was chosen only if it is another one. */
function defaults() {
  /** @type {unknown} */
  let known;
  return (/** @type {unknown} */ value) => known !== (known = value);
}

/**
 * One of several, or a date, with a button to take the choice back.
 *
 * @param {Parent} parent
 * @param {HTMLSelectElement|HTMLInputElement} field
 * @param {(props: Props) => string} show what to show besides; returns the default
 * @returns {View}
 */
function choice(parent, field, show) {
  let isClearable = false;
  const isNew = defaults();
  const mark = () => {
    setAttribute(field, "data-empty", !field.value);
    clear.hidden = !isClearable || !field.value || field.disabled;
  };
  const clear = iconButton("close", () => {
    field.value = "";
    field.focus();
    field.dispatchEvent(new Event("change"));
  });
  nameButton(clear, parent.widget.host.text("clear"));
  field.addEventListener("change", mark);
  field.className = "w-control";
  const opener = field.localName === "select" ? icon("chevron-down") : calendarButton(parent, field);
  const node = h("span", { class: "w-choice" }, field, clear, opener);
  const showAll = (/** @type {Props} */ props) => {
    const value = show(props);
    if (isNew(value)) field.value = value;
    // What there is not shows as the empty choice.
    if (!field.value) field.value = "";
    isClearable = props.clearable === true;
    // Over the whole width, unless it is to look like a text.
    setAttribute(node, "data-block", props.block ?? props.variant !== "ghost");
    mark();
  };
  return fieldView(parent, field, showAll, node);
}

/**
 * A button that opens the calendar, where there is no better one. That of a telephone is.
 *
 * @param {Parent} parent
 * @param {HTMLSelectElement|HTMLInputElement} field
 */
function calendarButton({ widget: { host } }, field) {
  const onclick = async () => {
    const part = await host.load("calendar").catch(() => null);
    if (part) new part.Calendar(host, /** @type {HTMLInputElement} */ (field), button).open();
    else if (field instanceof HTMLInputElement) field.showPicker();
  };
  const button = iconButton("calendar", onclick, { "aria-haspopup": "dialog", "aria-expanded": "false" });
  nameButton(button, host.text("openCalendar"));
  return button;
}

/** @type {(props: Props) => {value: string, label: string, disabled: boolean}[]} */
const optionsOf = ({ options }) =>
  asList(options)
    .slice(0, MAX_CHILDREN)
    .map(({ value, label, description, disabled }) => ({
      value: asText(value),
      label: [asLabel(label) || asLabel(value), asLabel(description)].filter(Boolean).join(" – "),
      disabled: disabled === true,
    }));

/** @type {(value: unknown) => string} the date of a point in time, as written */
const dateOf = (value) => asText(value).match(/^\d{4}-\d\d-\d\d/)?.[0] ?? "";

/** @type {Record<string, Kind>} */
export const FIELDS = {
  Input: (parent) => textField(parent, h("input", { part: "widget-input" })),
  Textarea: (parent) => textField(parent, h("textarea", { part: "widget-textarea" })),

  Select(parent) {
    const field = h("select", { part: "widget-select" });
    const isNew = defaults();
    return choice(parent, field, (props) => {
      const options = optionsOf(props);
      if (isNew(JSON.stringify([asLabel(props.placeholder), options]))) {
        const { value } = field;
        const nodes = options.map(({ label, ...attributes }) => h("option", attributes, label));
        field.replaceChildren(h("option", { value: "", hidden: true }, asLabel(props.placeholder)), ...nodes);
        field.value = value;
      }
      return asText(props.defaultValue);
    });
  },

  DatePicker(parent) {
    const field = h("input", { type: "date", part: "widget-date" });
    return choice(parent, field, ({ min, max, defaultValue }) => {
      field.min = dateOf(min);
      field.max = dateOf(max);
      return dateOf(defaultValue);
    });
  },

  Checkbox(parent) {
    const field = h("input", { type: "checkbox" });
    const text = h("span", { dir: "auto" });
    const show = (/** @type {Props} */ { defaultChecked, label }) => {
      field.defaultChecked = defaultChecked === true;
      setText(text, asLabel(label));
      if (label) field.removeAttribute("aria-label");
    };
    return fieldView(parent, field, show, h("label", { class: "w-check", part: "widget-checkbox" }, field, text));
  },

  RadioGroup(parent) {
    const node = h("fieldset", { class: "w-radios", role: "radiogroup", part: "widget-radios" });
    const name = newId();
    const isNew = { options: defaults(), value: defaults() };
    return fieldView(parent, node, (props) => {
      const options = optionsOf(props);
      const checked = () => node.querySelector("input:checked")?.getAttribute("value");
      node.dataset.direction = word(props.direction, "col") || "row";
      const value = isNew.value(props.defaultValue) ? asText(props.defaultValue) : checked();
      if (!isNew.options(JSON.stringify([options, props.required])) && value === checked()) return;
      node.replaceChildren(
        ...options.map(({ label, ...option }) => {
          const state = { required: props.required === true, checked: option.value === value };
          const input = h("input", { type: "radio", name, ...state, ...option });
          return h("label", { class: "w-check" }, input, h("span", { dir: "auto" }, label));
        }),
      );
    });
  },

  Label() {
    const node = h("label", { id: newId(), class: "w-text w-label", dir: "auto" });
    return {
      node,
      update(props) {
        setText(node, asLabel(props.value));
        node.dataset.field = asLabel(props.fieldName);
        setTextStyle(node, { size: "sm", ...props });
      },
    };
  },
};

/** Tie labels to the fields of that name in the same form. @param {HTMLElement} root */
export function tieLabels(root) {
  /** @type {Map<unknown, Map<string, Element>>} */
  const forms = new Map();
  for (const field of root.querySelectorAll("[data-name]")) {
    const form = field.closest("form");
    const fields = forms.get(form) ?? new Map();
    const name = field.getAttribute("data-name") ?? "";
    if (!fields.has(name)) forms.set(form, fields.set(name, field));
    field.removeAttribute("aria-labelledby");
  }
  for (const label of /** @type {NodeListOf<HTMLLabelElement>} */ (root.querySelectorAll("[data-field]"))) {
    const field = forms.get(label.closest("form"))?.get(label.dataset.field ?? "");
    label.htmlFor = field?.id ?? "";
    field?.setAttribute("aria-labelledby", label.id);
  }
}
