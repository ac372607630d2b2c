/**
 * Styles as a tagged template, which editors, Prettier and the bundle know for what it is.
 *
 * @param {TemplateStringsArray} strings
 * @returns {string}
 */
export const css = ([styles]) => styles;
