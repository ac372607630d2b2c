import assert from "node:assert/strict";
import test from "node:test";
import { clientLocale } from "../../chatkit_app/client/locale.js";

const LOCALES = {
  "pt-br": "pt-BR",
  pt: "pt",
  "de-at": "de",
  "zh-hans": "zh-CN",
  "zh-hant": "zh-TW",
  "es-mx": "es-419",
  "en-gb": "en",
  nn: "nb",
  "sr-latn": "sr",
  he: undefined,
};

for (const [code, locale] of Object.entries(LOCALES)) {
  test(`locale is the client's name for Django's: ${code}`, () => assert.equal(clientLocale(code), locale));
}
