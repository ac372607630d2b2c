import "../page.js";
import assert from "node:assert/strict";
import test from "node:test";
import { isLoadable, isOwn, safeUrl } from "../../../chatkit_app/client/element/urls.js";

test("URL that a user may be led to is resolved", () => {
  assert.equal(safeUrl("https://x.example/a b"), "https://x.example/a%20b");
  assert.equal(safeUrl("../about"), "https://site.example/about");
  assert.equal(safeUrl("mailto:a@x.example"), "mailto:a@x.example");
  assert.equal(safeUrl("chatkit-link:order?id=1"), "chatkit-link:order?id=1");
});

test("URL that nobody should be led to is none", () => {
  const urls = [
    "javascript:alert(1)",
    "JAVA\nSCRIPT:alert(1)",
    "data:text/html,x",
    "blob:x",
    "file:///x",
    "http://[",
    7,
    null,
  ];
  assert.deepEqual(urls.map(safeUrl), [null, null, null, null, null, null, null, null]);
});

test("own are the site's URLs and what holds what it names", () => {
  assert.deepEqual(
    ["/a", "data:,", "blob:https://site.example/1", "https://elsewhere.example/", "http://site.example/"].map(isOwn),
    [true, true, true, false, false],
  );
});

test("image is loaded unasked from the site, from itself, and from where the thread allows", () => {
  const domains = ["images.example"];
  assert.equal(isLoadable("/a.png", undefined), true);
  assert.equal(isLoadable("data:image/png;base64,AAAA", undefined), true);
  assert.equal(isLoadable("data:image/svg+xml,<svg/>", undefined), false);
  assert.equal(isLoadable("https://images.example/a.png", domains), true);
  assert.equal(isLoadable("https://images.example/a.png", "images.example"), false);
  assert.equal(isLoadable("https://evil.example/a.png", domains), false);
  assert.equal(isLoadable("https://images.example.evil.example/a.png", domains), false);
  assert.equal(isLoadable(null, domains), false);
});
