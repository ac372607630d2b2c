/**
 * Which of its options the client has refused, and the options without them.
 *
 * The official client takes either all of them or none: with one that its version does not know it shows nothing at all.
 * What it says then is made for people:
 *
 *     ChatKit.create():
 *     ✖ Unrecognized key: "commands"
 *     ✖ Invalid input
 *       → at composer.tools[0].icon
 *
 * So where that cannot be understood, the chat goes on with the options that it cannot do without.
 *
 * @import {ChatKitOptions} from "@openai/chatkit"
 */

const REFUSAL = /^chatkit\.(create|setOptions)\(\):/i;
/** A name of a path, an index, or a name in quotation marks. */
const PATH_PART = /[\w$]+|"(?:[^"\\]|\\.)*"/g;
const NEEDED = ["api", "locale", "initialThread"];
const NEEDED_OF_API = ["url", "domainKey", "fetch"];

/**
 * @param {any} error
 * @returns {boolean} whether the client refuses its options with it
 */
export function isRefusal(error) {
  return REFUSAL.test(error?.message);
}

export class Refusals {
  /** @type {string[][]} */
  #paths = [];
  #leavesLeast = false;

  /**
   * Take in what the client says of options that it was given.
   *
   * @param {{message: string}} refusal
   * @param {ChatKitOptions} options those of the page, whole
   * @returns {string[]} what it is given no more, to tell people; empty when nothing is known that it could do without
   */
  add({ message }, options) {
    const given = this.withoutRefused(options);
    /** @type {Map<string, string[]>} */
    const found = new Map();
    for (const named of namedPaths(message)) {
      for (const path of droppablePaths(given, named)) found.set(path.join("."), path);
    }
    this.#paths.push(...found.values());
    return [...found.keys()];
  }

  /**
   * Leave out all that a chat can do without.
   *
   * @returns {boolean} false when it was left out before
   */
  leaveLeast() {
    const isNew = !this.#leavesLeast;
    this.#leavesLeast = true;
    return isNew;
  }

  /**
   * @param {ChatKitOptions} options
   * @returns {ChatKitOptions} a copy, as far as it is changed
   */
  withoutRefused(options) {
    let left = /** @type {any} */ ({ ...options });
    if (this.#leavesLeast) {
      left = only(left, NEEDED);
      left.api = only(left.api, NEEDED_OF_API);
    }
    for (const path of this.#paths) left = without(left, path);
    return left;
  }
}

/**
 * @param {string} message
 * @returns {string[][]} the path of each option that it names
 */
function namedPaths(message) {
  const paths = [];
  for (const complaint of message.split("✖").slice(1)) {
    const [what, place = ""] = complaint.split("→ at ");
    const path = place.match(PATH_PART)?.map(unquoted) ?? [];
    const keys = /Unrecognized keys?: (.+)/.exec(what)?.[1].match(PATH_PART)?.map(unquoted);
    if (keys) paths.push(...keys.map((key) => [...path, key]));
    else paths.push(path);
  }
  return paths;
}

/** @param {string} name */
function unquoted(name) {
  return name.startsWith('"') ? name.slice(1, -1) : name;
}

/**
 * What to leave out for a path that was named: what is there, or else what lacks it; a list whole.
 *
 * @param {any} options
 * @param {string[]} named
 * @returns {string[][]}
 */
function droppablePaths(options, named) {
  let path = named;
  while (path.length && !isDroppable(options, path)) path = path.slice(0, -1);
  if (path.length !== 1 || path[0] !== "api") return path.length ? [path] : [];
  return Object.keys(options.api ?? {})
    .filter((key) => !NEEDED_OF_API.includes(key))
    .map((key) => ["api", key]);
}

/**
 * @param {any} options
 * @param {string[]} path
 */
function isDroppable(options, path) {
  const [key, place] = [path[path.length - 1], path.slice(0, -1).reduce((value, name) => value?.[name], options)];
  if (typeof place !== "object" || place === null || Array.isArray(place) || !Object.hasOwn(place, key)) return false;
  return !(path[0] === "api" && NEEDED_OF_API.includes(path[1]));
}

/**
 * @param {any} value
 * @param {string[]} path
 * @returns {any} the value without what is at the path
 */
function without(value, [key, ...rest]) {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return value;
  const copy = Array.isArray(value) ? [...value] : { ...value };
  if (rest.length) copy[key] = without(copy[key], rest);
  else delete copy[key];
  return copy;
}

/**
 * @param {any} value
 * @param {string[]} keys
 */
function only(value, keys) {
  return Object.fromEntries(Object.entries(value ?? {}).filter(([key]) => keys.includes(key)));
}
