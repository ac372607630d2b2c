/** The theme option, as attributes and custom properties of the element's frame. */

/**
 * @param {HTMLElement} frame
 * @param {"light"|"dark"|object|undefined} theme the client's `theme` option
 */
export function applyTheme(frame, theme) {
  const { colorScheme = "light", radius = "pill", density = "normal", color = {}, typography = {} } =
    typeof theme === "string" ? { colorScheme: theme } : (theme ?? {});
  frame.dataset.scheme = colorScheme;
  frame.dataset.radius = radius;
  frame.dataset.density = density;
  setColor(frame, "--accent", color.accent?.primary);
  setColor(frame, "--surface", color.surface?.background);
  setColor(frame, "--text", color.surface?.foreground);
  setProperty(frame, "--hue", color.grayscale?.hue);
  setProperty(frame, "--tint", color.grayscale && `${Number(color.grayscale.tint ?? 0) * 2.5}%`);
  setProperty(frame, "--base-size", typography.baseSize && `${Number(typography.baseSize)}px`);
  setProperty(frame, "--font", typography.fontFamily);
  setProperty(frame, "--font-mono", typography.fontFamilyMono);
}

function setColor(frame, name, value) {
  setProperty(frame, name, value && CSS.supports("color", value) ? value : null);
}

function setProperty(frame, name, value) {
  if (value === undefined || value === null || value === "") frame.style.removeProperty(name);
  else frame.style.setProperty(name, String(value));
}
