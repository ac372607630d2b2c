/**
 * What modules without a DOM ask of the page that they find themselves in: its address, which CSS its browser knows (none),
 * and to be told of its network, of which there is no news. Import it before them.
 */
const address = new URL("https://site.example/chat/");

Object.assign(globalThis, {
  document: { baseURI: address.href },
  location: address,
  CSS: { supports: () => false },
  addEventListener() {},
  removeEventListener() {},
});
