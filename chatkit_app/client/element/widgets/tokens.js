/** Sizes, spaces and borders of content, as styles: checked, and never larger than a widget may become. */
import { setAttribute, setStyle } from "../dom.js";
import { asNumber, asObject, asText } from "../values.js";
import { color } from "./colors.js";
/** @import {Props} from "./nodes.js" */

const MAX = 2000;
const RADII = { none: 0, "2xs": 2, xs: 4, sm: 6, md: 8, lg: 10, xl: 12, "2xl": 16, "3xl": 20, "4xl": 24, full: 9999 };
/** Size and height of a line, in pixels where the chat's text has 16. @typedef {Record<string, [number, number]>} Scale */

/** @type {Record<"text" | "title" | "caption", Scale>} */
export const SCALES = {
  text: { xs: [12, 18], sm: [14, 20], md: [16, 24], lg: [18, 29], xl: [20, 26] },
  title: {
    sm: [18, 26],
    md: [20, 26],
    lg: [24, 28],
    xl: [32, 38],
    "2xl": [36, 42],
    "3xl": [48, 50],
    "4xl": [60, 62],
    "5xl": [72, 74],
  },
  caption: { sm: [10, 13], md: [12, 16], lg: [14, 18] },
};
/** The sides as the SDK names them; left is where a line begins. */
const SIDES = {
  x: "inline",
  y: "block",
  top: "block-start",
  bottom: "block-end",
  left: "inline-start",
  right: "inline-end",
};

/** @type {<T>(table: Record<string, T>, token: any, fallback: T) => T} */
export const pick = (table, token, fallback) => (Object.hasOwn(table, asText(token)) ? table[token] : fallback);

/** One of these words, or "". @type {(value: unknown, words: string) => string} */
export const word = (value, words) => words.split(" ").find((allowed) => allowed === value) ?? "";

/** A length that grows with the chat's text. @type {(pixels: number) => string} */
export const scaled = (pixels) => `calc(var(--base-size) * ${pixels / 16})`;

/** Height, size of the text, what is free at both ends of it, and radius: in pixels where the chat's text has 16. */
/** @typedef {[number, number, number, number]} Measures */

/** What badges, buttons and fields have in common. @type {(node: HTMLElement, measures: Measures) => void} */
export function setMeasures(node, [height, size, gutter, radius]) {
  const styles = { "--height": height, "font-size": size, "--gutter": gutter, "--radius": radius };
  for (const [name, pixels] of Object.entries(styles)) setStyle(node, name, scaled(pixels));
}

/** @type {(node: HTMLElement | SVGElement, styles: Record<string, string | number | null | undefined>) => void} */
export function setStyles(node, styles) {
  for (const [name, value] of Object.entries(styles)) setStyle(node, name, value);
}

/** A length of a number or of CSS; null for none. @type {(value: unknown, unit?: number) => string | null} */
export function length(value, unit = 1) {
  const number = asNumber(value, NaN);
  if (number === number) return `${Math.min(Math.max(number * unit, 0), MAX)}px`;
  const clamped = `clamp(0px, ${asText(value).slice(0, 99)}, ${MAX}px)`;
  return CSS.supports("width", clamped) ? clamped : null;
}

/** The same in spacing units. @type {(value: unknown) => string | null} */
export const space = (value) => length(value, 4);

/** @type {(node: HTMLElement, name: string, value: unknown, css: (part: any) => string | null) => void} */
function setSides(node, name, value, css) {
  const sides = asObject(value);
  setStyle(node, name, null);
  setStyle(node, name, css(value));
  for (const [side, edge] of Object.entries(SIDES)) {
    if (side in sides) setStyle(node, `${name}-${edge}`, css(sides[side]));
  }
}

/** @type {(node: HTMLElement, name: "padding" | "margin", value: unknown) => void} */
export function setSpacing(node, name, value) {
  setSides(node, name, value, (part) => {
    // "4px 8px", but not the spaces within "calc(1px + 2px)".
    const spaces = asText(part)
      .split(/\s+(?![^(]*\))/)
      .map((one) => (one === "auto" ? one : space(one)));
    return spaces.includes(null) ? null : spaces.join(" ");
  });
  if (name === "margin" || value === undefined) return;
  // How far a child that is flush reaches out.
  const { paddingInlineStart, paddingBlockStart } = node.style;
  setStyles(node, { "--flush-inline": paddingInlineStart || "0px", "--flush-block": paddingBlockStart || "0px" });
}

/** @type {(node: HTMLElement, border: unknown) => void} */
export function setBorder(node, border) {
  setSides(node, "border", border, (part) => {
    const { size = part, style, color: value } = asObject(part);
    const width = asNumber(size, -1);
    if (width < 0) return null;
    const line = word(style, "dashed dotted double groove ridge inset outset") || "solid";
    return `${Math.min(width, 40)}px ${line} ${color(value, "border") ?? "var(--line)"}`;
  });
}

/** @type {(node: HTMLElement, props: Props) => void} */
export function setBackground(node, { background, theme }) {
  // One step of a hue is as light by night as it is by day: what is on it has to go by it.
  const [, step] = asText(background).match(/^(?!gray)[a-z]+-(\d+)$/) ?? [];
  setAttribute(node, "data-scheme", word(theme, "light dark") || (step && (Number(step) < 500 ? "light" : "dark")));
  setStyle(node, "background", color(background, "surface"));
}

/** What boxes, images and charts have in common. @type {(node: HTMLElement, props: Props) => void} */
export function setBlock(node, props) {
  for (const bound of ["", "min", "max"]) {
    for (const side of ["Width", "Height"]) {
      const value = bound ? (props[bound + side] ?? props[`${bound}Size`]) : (props[side.toLowerCase()] ?? props.size);
      const size = length(value);
      const within = size && side === "Width" ? `min(100%, ${size})` : size;
      const name = (bound && `${bound}-`) + side.toLowerCase();
      setStyle(node, name, within ?? word(value, "auto min-content max-content fit-content"));
    }
  }
  for (const [name, value] of [
    ["aspect-ratio", props.aspectRatio],
    ["flex", props.flex],
  ]) {
    setStyle(node, name, CSS.supports(name, asText(value).slice(0, 99)) ? asText(value) : null);
  }
  const radius = pick(RADII, props.radius, NaN);
  setStyle(node, "border-radius", radius === radius ? `${radius}px` : word(props.radius, "100%"));
  setSpacing(node, "margin", props.margin);
  setBackground(node, props);
}

/** What containers have in common. @type {(node: HTMLElement, props: Props, direction: "row" | "col") => void} */
export function setBox(node, props, direction) {
  const { align, justify, wrap, gap, padding, border } = props;
  setBlock(node, props);
  node.dataset.direction = word(props.direction, "row col") || direction;
  const between = word(justify, "between around evenly");
  setStyles(node, {
    "align-items": word(align, "start center end baseline stretch"),
    "justify-content": between ? `space-${between}` : word(justify, "start center end stretch"),
    "flex-wrap": word(wrap, "nowrap wrap wrap-reverse"),
    gap: space(gap),
  });
  // Without a gap of its own it spaces its children by what they are.
  setAttribute(node, "data-spaced", space(gap) === null);
  setSpacing(node, "padding", padding);
  setBorder(node, border);
}
