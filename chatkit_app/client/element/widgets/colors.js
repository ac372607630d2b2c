/** Colours as widgets name them: tokens, steps of a hue (`blue-500`), CSS colours, and pairs for light and dark. */
import { asLabel, asObject } from "../values.js";

/** Hue and chroma in OKLCH, and the lightness at the steps between the first and the last of `STEPS`. */
const HUES = {
  gray: [0, 0, 0.945, 0.65, 0.375, 0.21],
  red: [26, 0.22, 0.81, 0.65, 0.515, 0.28],
  orange: [45, 0.19, 0.84, 0.7, 0.55, 0.3],
  yellow: [88, 0.17, 0.92, 0.85, 0.67, 0.36],
  green: [150, 0.19, 0.84, 0.68, 0.54, 0.295],
  blue: [253, 0.2, 0.83, 0.63, 0.43, 0.275],
  purple: [299, 0.23, 0.81, 0.6, 0.475, 0.265],
  pink: [354, 0.2, 0.86, 0.72, 0.56, 0.315],
};
const STEPS = [0, 100, 400, 600, 900, 1000];
/** The share of a hue's chroma that each of these has. */
const CHROMA = [0, 0.5, 1, 0.8, 0.4, 0.15];

/** @type {Record<"text"|"surface"|"border"|"chart", Record<string, string>>} */
const TOKENS = {
  text: {
    prose: "var(--text)",
    primary: "var(--text)",
    emphasis: "var(--text)",
    secondary: "color-mix(in srgb, var(--text) 30%, var(--muted))",
    tertiary: "var(--muted)",
    success: "var(--success)",
    warning: "var(--warning)",
    danger: "var(--danger)",
  },
  surface: {
    surface: "var(--surface)",
    "surface-secondary": "var(--fill)",
    "surface-tertiary": "var(--fill-strong)",
    "surface-elevated": "light-dark(var(--surface), var(--fill))",
    "surface-elevated-secondary": "light-dark(var(--fill), var(--fill-strong))",
  },
  border: {
    default: "var(--line)",
    subtle: "color-mix(in srgb, var(--line) 45%, transparent)",
    strong: "color-mix(in srgb, var(--text) 7%, var(--line))",
  },
  // In the order in which series get them. Steps that differ in lightness too, and stand out from a light surface.
  chart: Object.fromEntries(
    Object.entries({ blue: 400, purple: 500, orange: 500, green: 600, red: 500, yellow: 600, pink: 500 }).map(
      ([hue, step]) => [hue, `light-dark(${primitive(`${hue}-${step}`)}, ${primitive(`${hue}-${step - 100}`)})`],
    ),
  ),
};

/** What series without a colour get, one after the other. */
export const SERIES_COLORS = Object.keys(TOKENS.chart);

/**
 * @param {unknown} value
 * @param {"text"|"surface"|"border"|"chart"} kind whose tokens are meant
 * @returns {string|null} a CSS colour that loads nothing and is valid wherever it is put; null for none
 */
export function color(value, kind) {
  const { light, dark } = asObject(value);
  const [day, night] = [plain(light, kind), plain(dark, kind)];
  if (day && night) return `light-dark(${day}, ${night})`;
  return day ?? night ?? plain(value, kind);
}

/** @type {(value: unknown, kind: keyof typeof TOKENS) => string | null} */
function plain(value, kind) {
  const text = asLabel(value);
  if (Object.hasOwn(TOKENS[kind], text)) return TOKENS[kind][text];
  return primitive(text) ?? (isColor(text) ? text : null);
}

/** @param {string} name such as `red-100` @returns {string|null} */
function primitive(name) {
  const [, hue, step] = name.match(/^([a-z]+)-(\d{1,4})$/) ?? [];
  if (!Object.hasOwn(HUES, hue) || Number(step) > 1000) return null;
  const [angle, chroma, ...middle] = HUES[/** @type {keyof typeof HUES} */ (hue)];
  const lightness = [1, ...middle, 0.165];
  const at = (/** @type {number} */ place) =>
    `oklch(${between(lightness, place).toFixed(3)} ${(chroma * between(CHROMA, place)).toFixed(3)} ${angle})`;
  // Greys are counted from the surface: at night from the dark one.
  return chroma ? at(Number(step)) : `light-dark(${at(Number(step))}, ${at(1000 - Number(step))})`;
}

/** @type {(values: number[], step: number) => number} the value at a step, of those at `STEPS` */
function between(values, step) {
  const next = Math.max(
    STEPS.findIndex((known) => known >= step),
    1,
  );
  const share = (step - STEPS[next - 1]) / (STEPS[next] - STEPS[next - 1]);
  return values[next - 1] + (values[next] - values[next - 1]) * share;
}

/** Only with functions of colours: what `var()` and its like stand for is not checked here, and may be a URL. */
function isColor(/** @type {string} */ text) {
  const rest = text.replace(/(?<![-\w])(rgba?|hsla?|hwb|(ok)?(lab|lch)|color(-mix)?|light-dark|calc)\(/gi, "");
  return !/[\\(]/.test(rest) && CSS.supports("color", text);
}
