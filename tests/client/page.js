/**
 * What modules without a DOM ask of the page that they find themselves in: its address, and which CSS its browser knows,
 * which is none. Import it before them.
 */
const address = new URL("https://site.example/chat/");

Object.assign(globalThis, { document: { baseURI: address.href }, location: address, CSS: { supports: () => false } });
