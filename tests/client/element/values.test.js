import assert from "node:assert/strict";
import test from "node:test";
import { asLabel, asList, asNumber, asObject, asText } from "../../../chatkit_app/client/element/values.js";

test("text is as it is, a number is written out, and all else is empty", () => {
  assert.deepEqual(["a\n", 7, null, undefined, true, {}, ["x"]].map(asText), ["a\n", "7", "", "", "", "", ""]);
  assert.equal(asText("\ud800"), "\ufffd");
});

test("label is one line that turns nothing around", () => {
  assert.equal(asLabel("  exe.\u202egpj\n\tname\0 "), "exe.gpj name");
  assert.equal(asLabel("x".repeat(5000)).length, 1000);
});

test("list has no empty places", () => {
  assert.deepEqual(asList([1, null, 0, undefined, ""]), [1, 0, ""]);
  assert.deepEqual(["abc", null, { length: 1 }].map(asList), [[], [], []]);
});

test("object is neither a list nor null", () => {
  assert.deepEqual(asObject({ a: 1 }), { a: 1 });
  assert.deepEqual([null, undefined, [1], "a", 7].map(asObject), [{}, {}, {}, {}, {}]);
});

test("number is finite, or the fallback", () => {
  assert.deepEqual(
    [7, "12", " 1.5 ", "", " ", "twelve", NaN, Infinity, null, true, [3]].map((value) => asNumber(value, -1)),
    [7, 12, 1.5, -1, -1, -1, -1, -1, -1, -1, -1],
  );
});
