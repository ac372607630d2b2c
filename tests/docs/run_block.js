/**
 * Runs a block of JavaScript from standard input as a page would, and each function that it pushes into
 * `chatkitConfigure`. Whatever it asks of the document is there. Prints the options that these functions have set.
 */
import { readFileSync } from "node:fs";

const anything = new Proxy(function () {}, {
  get: (_target, name) => (name === Symbol.toPrimitive ? () => "" : name === "then" ? undefined : anything),
  apply: () => anything,
  construct: () => anything,
});
Object.assign(globalThis, { window: globalThis, document: anything, location: anything });
const source = readFileSync(0, "utf8");
await import(`data:text/javascript,${encodeURIComponent(source)}`);
const options = {};
for (const configure of globalThis.chatkitConfigure ?? []) configure(options, anything);
console.log(JSON.stringify(Object.keys(options)));
