import assert from "node:assert/strict";
import test from "node:test";
import { baseOptions } from "../../chatkit_app/client/options.js";

const fetch = () => {};
const config = (options) => ({ endpoint: "/chatkit", domainKey: "local-dev", locale: "pt-br", options });

test("options have the page's endpoint and locale", () => {
  assert.deepEqual(baseOptions(config({ frameTitle: "Mine" }), { fetch, rememberedThread: null }), {
    frameTitle: "Mine",
    locale: "pt-BR",
    api: { domainKey: "local-dev", url: "/chatkit", fetch },
  });
});

test("locale of the options is kept", () => {
  assert.equal(baseOptions(config({ locale: "fr" }), { fetch, rememberedThread: null }).locale, "fr");
});

test("thread of the page is shown rather than the one that is remembered", () => {
  const rememberedThread = "thr_2";
  assert.equal(baseOptions(config({ initialThread: "thr_1" }), { fetch, rememberedThread }).initialThread, "thr_1");
  assert.equal(baseOptions(config({}), { fetch, rememberedThread }).initialThread, "thr_2");
});

test("options of the configuration stay as they are", () => {
  const given = config({ api: { uploadStrategy: { type: "two_phase" } } });
  const { api } = baseOptions(given, { fetch, rememberedThread: null });
  api.uploadStrategy.type = "direct";
  assert.deepEqual(given.options, { api: { uploadStrategy: { type: "two_phase" } } });
});
