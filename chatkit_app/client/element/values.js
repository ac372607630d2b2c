/**
 * What came from the server, made into what it should have been.
 *
 * Items are written by models, tools and other people's code. A view that reads them through these functions shows
 * what there is, and never fails because of what there is not.
 */

/** Characters that turn the direction of what follows: in a name they make "gpj.exe" of "exe.jpg". */
const DIRECTIONS = /[\u202a-\u202e\u2066-\u2069]/g;
const CONTROLS = /[\u0000-\u001f\u007f\s]+/g;
const MAX_LABEL = 1000;

/**
 * @param {unknown} value
 * @returns {string} a text as it is, a number written out, and "" for everything else
 */
export function asText(value) {
  if (typeof value === "string") return value.toWellFormed();
  return typeof value === "number" ? String(value) : "";
}

/**
 * @param {unknown} value
 * @returns {string} a text for one line: a name, a title, a label
 */
export function asLabel(value) {
  return asText(value).slice(0, MAX_LABEL).toWellFormed().replace(DIRECTIONS, "").replace(CONTROLS, " ").trim();
}

/**
 * @param {unknown} value
 * @returns {any[]} a list without its empty places; [] for everything else
 */
export function asList(value) {
  return Array.isArray(value) ? value.filter((entry) => entry !== null && entry !== undefined) : [];
}

/**
 * @param {unknown} value
 * @returns {Record<string, any>} an object; {} for everything else, lists too
 */
export function asObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}

/**
 * @param {unknown} value
 * @param {number} fallback
 * @returns {number} a finite number
 */
export function asNumber(value, fallback = 0) {
  const number = typeof value === "string" && value.trim() ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : fallback;
}
