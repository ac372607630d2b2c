/** Colours as widgets name them: tokens, steps of a hue (`blue-500`), CSS colours, and pairs for light and dark. */
import { asLabel, asObject } from "../values.js";

/** Hue and chroma in OKLCH, and how much lighter than others the middle steps are. */
const HUES = {
  gray: [0, 0, 0],
  red: [25, 0.23, 0],
  orange: [52, 0.2, 0.06],
  yellow: [84, 0.18, 0.12],
  green: [150, 0.19, 0.03],
  blue: [258, 0.22, 0],
  purple: [300, 0.22, 0],
  pink: [354, 0.22, 0.03],
};

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
    subtle: "color-mix(in srgb, var(--line) 60%, transparent)",
    strong: "color-mix(in srgb, var(--text) 25%, var(--line))",
  },
  // In the order in which series get them. Steps that differ in lightness too, and stand out from a light surface.
  chart: Object.fromEntries(
    Object.entries({ blue: 500, purple: 600, orange: 500, green: 600, red: 600, yellow: 600, pink: 500 }).map(
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
  const t = Number(step) / 1000;
  if (!Object.hasOwn(HUES, hue) || t > 1) return null;
  const [angle, chroma, lift] = HUES[/** @type {keyof typeof HUES} */ (hue)];
  const lightness = 0.985 - 0.75 * t + 4 * t * (1 - t) * lift;
  return `oklch(${lightness.toFixed(3)} ${(chroma * Math.min(1, 2 * t, 1.3 - t)).toFixed(3)} ${angle})`;
}

/** Only with functions of colours: what `var()` and its like stand for is not checked here, and may be a URL. */
function isColor(/** @type {string} */ text) {
  const rest = text.replace(/(?<![-\w])(rgba?|hsla?|hwb|(ok)?(lab|lch)|color(-mix)?|light-dark|calc)\(/gi, "");
  return !/[\\(]/.test(rest) && CSS.supports("color", text);
}
