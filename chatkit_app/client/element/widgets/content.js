/** What is there to look at: boxes, texts, images and tables. */
import { h, setAttribute, setText } from "../dom.js";
import { icon } from "../icons.js";
import { MarkdownText } from "../markdown-text.js";
import { imageNode } from "../ui/remote-image.js";
import { asLabel, asNumber, asText } from "../values.js";
import { color } from "./colors.js";
import { childrenOf } from "./nodes.js";
import {
  length,
  pick,
  scaled,
  SCALES,
  setBlock,
  setBox,
  setMeasures,
  setSpacing,
  setStyles,
  space,
  word,
} from "./tokens.js";
/** @import {ChartView} from "./chart.js" */
/** @import {Kind, Parent, Props, View} from "./nodes.js" */
/** @import {Measures, Scale} from "./tokens.js" */

const WEIGHTS = { normal: 400, medium: 500, semibold: 600, bold: 700 };
/** The least width of a column. */
const COLUMNS = { xs: 54, sm: 107, md: 187, lg: 240, xl: 374 };
/** @type {Record<string, Measures>} */
const BADGES = { sm: [20, 12, 5, 4], md: [22, 14, 6, 4], lg: [24, 14, 8, 6] };
const ICONS = { xs: 12, sm: 14, md: 16, lg: 18, xl: 20, "2xl": 24, "3xl": 32 };

/** @type {(parent: Parent, direction?: "row" | "col", node?: HTMLElement) => View} */
export function box(parent, direction = "col", node = h("div")) {
  const children = childrenOf(parent, node);
  node.classList.add("w-box");
  return {
    node,
    update(props) {
      setBox(node, props, direction);
      children(props.children);
    },
  };
}

/** What does nothing but hold its children. @type {(parent: Parent, node: HTMLElement, inner?: HTMLElement) => View} */
export function passage(parent, node, inner = node) {
  const children = childrenOf(parent, inner);
  return { node, update: (props) => children(props.children) };
}

/** @type {(node: HTMLElement, props: Props, scale?: Scale) => void} */
export function setTextStyle(node, props, scale = SCALES.text) {
  const { size, weight, textAlign, truncate } = props;
  const maxLines = Math.floor(asNumber(props.maxLines)) || null;
  const [pixels, line] = pick(scale, size, scale.md);
  setStyles(node, {
    "font-size": scaled(pixels),
    "line-height": line / pixels,
    "font-weight": pick(WEIGHTS, weight, NaN) || null,
    "text-align": word(textAlign, "start center end"),
    color: color(props.color, "text"),
    "-webkit-line-clamp": maxLines,
  });
  node.classList.toggle("w-clamp", Boolean(maxLines));
  node.classList.toggle("w-truncate", truncate === true);
}

/** @type {(node: HTMLElement, scale: Scale) => View} */
function text(node, scale) {
  const content = new Text();
  node.append(content);
  node.dir = "auto";
  return {
    node,
    update(props) {
      const value = asText(props.value);
      // A text that streams gets its new end only.
      if (value.startsWith(content.data)) content.appendData(value.slice(content.length));
      else content.data = value;
      setTextStyle(node, props, scale);
      setStyles(node, {
        "min-block-size": `${Math.min(asNumber(props.minLines), 50)}lh`,
        "inline-size": length(props.width),
        "font-style": props.italic === true ? "italic" : null,
        "text-decoration": props.lineThrough === true ? "line-through" : null,
      });
    },
  };
}

/**
 * The look of badges, buttons and fields. "auto" is for buttons, which are pills unless the theme has corners.
 *
 * @type {(node: HTMLElement, props: Props, variant: string) => void}
 */
export function setTone(node, props, variant) {
  setAttribute(node, "data-tone", asLabel(props.color) || "secondary");
  setAttribute(node, "data-variant", word(props.variant, "solid soft outline ghost") || variant);
  setAttribute(node, "data-pill", props.pill === "auto" || props.pill === true ? props.pill : null);
}

/** @type {(name: unknown, pixels: number) => SVGElement} */
export function sizedIcon(name, pixels) {
  const node = icon(asLabel(name));
  setStyles(node, { "font-size": scaled(pixels / 1.25) });
  return node;
}

/** @type {Record<string, Kind>} */
export const CONTENT = {
  Box: (parent) => box(parent),
  Row: (parent) => box(parent, "row"),
  Col: (parent) => box(parent),
  Transition: (parent) => passage(parent, h("div", { class: "w-transition" })),
  Title: () => text(h("h3", { class: "w-text w-title", "aria-level": 4 }), SCALES.title),
  Text: () => text(h("p", { class: "w-text w-prose" }), SCALES.text),
  Caption: () => text(h("p", { class: "w-text w-caption" }), SCALES.caption),

  Spacer() {
    const node = h("div", { class: "w-spacer" });
    return { node, update: ({ minSize }) => setStyles(node, { "flex-basis": length(minSize) }) };
  },

  Divider() {
    const node = h("hr", { class: "w-divider" });
    return {
      node,
      update({ color: value, size, spacing, flush }) {
        node.classList.toggle("w-flush", flush === true);
        const line = color(value, "border");
        setStyles(node, { "--size": length(size), "--spacing": space(spacing), "border-color": line });
      },
    };
  },

  Markdown({ widget }) {
    const view = new MarkdownText(widget.host);
    return { node: view.node, update: ({ value }) => view.update(asText(value)) };
  },

  Badge() {
    const node = h("span", { class: "w-badge", dir: "auto", part: "widget-badge" });
    return {
      node,
      update(props) {
        setText(node, asLabel(props.label));
        setTone(node, { pill: true, ...props }, "soft");
        setMeasures(node, pick(BADGES, props.size, BADGES.sm));
      },
    };
  },

  Icon() {
    const node = h("span", { class: "w-icon" });
    return {
      node,
      update({ name, size, color: value }) {
        node.replaceChildren(sizedIcon(name, pick(ICONS, size, ICONS.md)));
        setStyles(node, { color: color(value, "text") });
      },
    };
  },

  Image({ widget }) {
    const node = h("div", { class: "w-image", part: "widget-image" });
    let shown = "";
    return {
      node,
      update(props) {
        const image = { src: asText(props.src), alt: asLabel(props.alt) };
        if (shown !== (shown = JSON.stringify(image))) node.replaceChildren(imageNode(widget.host, image));
        setBlock(node, props);
        node.classList.toggle("w-framed", props.frame === true);
        node.classList.toggle("w-flush", props.flush === true);
        setAttribute(node, "data-width", Boolean(node.style.width));
        node.classList.toggle("w-sized", Boolean(node.style.height || node.style.aspectRatio || node.style.minHeight));
        const [position] = asText(props.position).match(/^((top|bottom)( left| right)?|left|right)$/) ?? [];
        setStyles(node, { "--fit": word(props.fit, "contain fill scale-down none"), "--position": position });
      },
    };
  },

  Chart({ widget }) {
    const { host } = widget;
    const node = h("div", { class: "w-chart" });
    /** @type {ChartView|null} */
    let view = null;
    /** @type {Props} */
    let shown = {};
    const show = () => {
      view?.update(shown);
      if (view) setBlock(view.node, shown);
    };
    const draw = (/** @type {{ChartView: typeof ChartView}} */ part) => {
      view = new part.ChartView(host);
      node.replaceChildren(view.node);
      show();
    };
    const known = host.part("chart");
    if (known) draw(known);
    else host.load("chart").then(draw, () => node.replaceChildren(host.text("unsupported")));
    return {
      node,
      update(props) {
        shown = props;
        show();
      },
    };
  },

  Table(parent) {
    const body = h("tbody");
    // Scrolls by the keyboard, too.
    const node = h("div", { class: "w-table", tabindex: "0", part: "widget-table" }, h("table", {}, body));
    return passage(parent, node, body);
  },

  "Table.Row": (parent, { header }) => passage(parent, h("tr", { "data-header": header === true })),

  "Table.Cell"(parent) {
    const node = parent.node?.hasAttribute("data-header") ? h("th", { scope: "col" }) : h("td");
    const children = childrenOf(parent, node);
    return {
      node,
      update(props) {
        for (const span of ["colSpan", "rowSpan"]) setAttribute(node, span, Math.min(asNumber(props[span], 1), 50));
        setAttribute(node, "data-align", word(props.align, "center end"));
        setStyles(node, {
          width: length(props.width),
          "min-width": scaled(pick(COLUMNS, props.colSize, 0)),
          "vertical-align": pick({ start: "top", end: "bottom" }, props.vAlign, ""),
        });
        setSpacing(node, "padding", props.padding);
        children(props.children);
      },
    };
  },
};
