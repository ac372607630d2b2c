/** The colours and fonts of the theme option, as custom properties of the element's frame. */
import { h, setStyle } from "./dom.js";
import { asLabel, asList, asNumber, asObject, asText } from "./values.js";
/** @import {ColorScheme, ThemeOption} from "@openai/chatkit" */

/** @typedef {number[]} Rgb red, green and blue, from 0 to 1 */
/** @typedef {{surface: Rgb, text: Rgb, strong: Rgb}} Ground with what comes nearest to its text, the strongest fill */

/** WCAG AA for text, and a little for rounding. */
const READABLE = 4.6;

const grey = (/** @type {number} */ part) => [part, part, part];

/** The schemes of views/frame.css.js in the worst of greys; `meaning` is what of danger, success … is hardest to read. */
const SCHEMES = {
  light: { surface: grey(1), text: grey(0.15), strong: grey(0.85), meaning: grey(0.375) },
  dark: { surface: grey(0.1), text: grey(0.9), strong: grey(0.31), meaning: grey(0.75) },
};

/** @type {Set<string>} */
const fontsAdded = new Set();

/**
 * Whatever is not as the types have it is passed over.
 *
 * @param {HTMLElement} frame
 * @param {ColorScheme|ThemeOption|undefined} theme
 */
export function applyTheme(frame, theme) {
  const { colorScheme, color, typography } = asObject(theme);
  const { accent, grayscale, surface } = asObject(color);
  const { baseSize, fontFamily, fontFamilyMono, fontSources } = asObject(typography);
  const ground = groundOf(asObject(surface));
  // On a surface of the page's own it is that surface which settles what can be read.
  const isDark = ground ? luminance(ground.surface) < luminance(ground.text) : colorScheme === "dark";
  const scheme = isDark ? "dark" : "light";
  frame.dataset.scheme = scheme;
  /** @type {Record<string, string|null>} */
  const properties = {
    ...greys(asObject(grayscale)),
    ...(ground && groundColors(ground, SCHEMES[scheme].meaning)),
    ...accentColors(asObject(accent), ground ?? SCHEMES[scheme]),
    "--base-size": baseSize >= 14 && baseSize <= 18 ? `${Number(baseSize)}px` : null,
    "--font": fontList(fontFamily),
    "--font-mono": fontList(fontFamilyMono),
  };
  frame.removeAttribute("style");
  for (const [name, value] of Object.entries(properties)) setStyle(frame, name, value);
  for (const font of asList(fontSources)) addFont(asObject(font));
}

/** @param {Record<string, unknown>} grayscale */
function greys({ hue, tint, shade }) {
  const percent = (/** @type {unknown} */ value, /** @type {number} */ least, /** @type {number} */ most, unit = 1) =>
    value === undefined ? null : `${Math.min(Math.max(asNumber(value), least), most) * unit}%`;
  return {
    "--hue": hue === undefined ? null : String(asNumber(hue)),
    "--tint": percent(tint, 0, 9, 2.5),
    "--shade": percent(shade, -4, 4),
  };
}

/**
 * @param {Record<string, unknown>} surface
 * @returns {Ground|null}
 */
function groundOf({ background, foreground }) {
  const surface = parseColor(background, grey(1));
  const text = surface && parseColor(foreground, surface);
  return text && { surface, text, strong: mix(surface, text, 0.09) };
}

/**
 * @param {Ground} ground
 * @param {Rgb} meaning
 */
function groundColors({ surface, text, strong }, meaning) {
  return {
    "--surface": css(surface),
    "--text": css(text),
    "--muted": css(readable(mix(surface, text, 0.6), text, strong)),
    "--line": css(mix(surface, text, 0.14)),
    "--fill": css(mix(surface, text, 0.05)),
    "--fill-strong": css(strong),
    "--toward-text": `${shareOfText(meaning, text, strong) * 100}%`,
  };
}

/**
 * The level says how far the accent goes. 0: the send button and its like. 1: the ring around what has the focus, and
 * the icons of the start screen too. 2: links too. 3: a tint of it in the user's messages too.
 *
 * @param {Record<string, unknown>} accent
 * @param {Ground} ground
 * @returns {Record<string, string>}
 */
function accentColors({ primary, level }, { surface, text, strong }) {
  const accent = parseColor(primary, surface);
  if (!accent) return {};
  const reach = asNumber(level);
  const tints = [0.16, 0.08, 0].map((share) => mix(surface, accent, share));
  const bubble = tints.find((tint) => contrast(tint, text) >= READABLE) ?? surface;
  const ink = css(readable(accent, text, strong, bubble));
  return {
    "--theme-accent": css(accent),
    "--theme-on-accent": contrast(accent, grey(1)) >= READABLE ? "#fff" : "#000",
    ...(reach >= 1 && { "--focus": ink, "--start-icon": ink }),
    ...(reach >= 2 && { "--link": ink }),
    ...(reach >= 3 && { "--bubble": css(bubble) }),
  };
}

/** @param {unknown} family */
function fontList(family) {
  return CSS.supports("font-family", asText(family)) ? asText(family) : null;
}

/** @param {Record<string, unknown>} font a `FontObject` */
function addFont({ family, src, ...given }) {
  const name = asLabel(family);
  const key = JSON.stringify([name, src, given]);
  if (!name || !asText(src) || fontsAdded.has(key)) return;
  fontsAdded.add(key);
  const warn = (/** @type {unknown} */ error) => console.warn(`The font "${name}" cannot be used.`, error);
  const descriptors = ["weight", "style", "display", "unicodeRange"].filter((kind) => asText(given[kind]));
  try {
    const values = Object.fromEntries(descriptors.map((kind) => [kind, asText(given[kind])]));
    const face = new FontFace(name, `url(${JSON.stringify(src)})`, values);
    document.fonts.add(face);
    face.loaded.catch(warn);
  } catch (error) {
    warn(error);
  }
}

// Colours

/**
 * A colour as the page shows it, however it is written: `var(--brand)` too.
 *
 * @param {unknown} value
 * @param {Rgb} behind what is seen through it
 * @returns {Rgb|null} null for what is no colour
 */
function parseColor(value, behind) {
  const text = asText(value);
  if (!CSS.supports("color", text)) return null;
  const probe = h("i", { hidden: true });
  // Mixed with itself it stays what it is, and is told as "color(srgb red green blue / alpha)".
  probe.style.setProperty("color", `color-mix(in srgb, ${text}, ${text})`, "important");
  document.documentElement.append(probe);
  const told = getComputedStyle(probe).color;
  probe.remove();
  if (!told.startsWith("color(srgb ")) return null;
  const [red, green, blue, alpha = 1] =
    told
      .slice(11)
      .match(/[-\d.e]+/g)
      ?.map(Number) ?? [];
  return mix(
    behind,
    [red, green, blue].map((part) => Math.min(Math.max(part, 0), 1)),
    alpha,
  );
}

/**
 * @param {Rgb} from
 * @param {Rgb} to
 * @param {number} share of the second
 */
function mix(from, to, share) {
  return from.map((part, index) => part + (to[index] - part) * share);
}

/** @param {Rgb} color */
function css(color) {
  return `rgb(${color.map((part) => Math.round(part * 255)).join(" ")})`;
}

/** @param {Rgb} color WCAG's relative luminance */
function luminance(color) {
  const [red, green, blue] = color.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/**
 * @param {Rgb} one
 * @param {Rgb} other
 */
function contrast(one, other) {
  const [first, second] = [luminance(one) + 0.05, luminance(other) + 0.05];
  return Math.max(first / second, second / first);
}

/**
 * How much of the text's colour a colour needs, before it can be read on all the grounds.
 *
 * @param {Rgb} color
 * @param {Rgb} text
 * @param {...Rgb} grounds
 */
function shareOfText(color, text, ...grounds) {
  let share = 0;
  while (share < 1 && grounds.some((ground) => contrast(mix(color, text, share), ground) < READABLE)) share += 0.05;
  return Math.min(share, 1);
}

/** @type {(color: Rgb, text: Rgb, ...grounds: Rgb[]) => Rgb} */
function readable(color, text, ...grounds) {
  return mix(color, text, shareOfText(color, text, ...grounds));
}
