import assert from "node:assert/strict";
import test from "node:test";
import { shiftTags } from "../../../../chatkit_app/client/element/composer/tags.js";

const EDITS = [
  ["x @Ada y", "x @Ada yz", 9, [[2, 6]]],
  ["x @Ada y", "xx @Ada y", 1, [[3, 7]]],
  ["x @Ada y", " @Ada y", 0, [[1, 5]]],
  ["x @Ada y", "x @Adaa y", 7, [[2, 6]]],
  ["x @Ada y", "x @@Ada y", 3, [[3, 7]]],
  ["x @Ada y", "x @Aa y", 4, []],
  ["x @Ada y", "x  y", 2, []],
  ["x @Ada y", "", 0, []],
  ["x @Ada y", "quite another text", 18, []],
];

for (const [before, after, caret, places] of EDITS) {
  test(`places of tags after an edit: "${after}"`, () => {
    const tags = shiftTags([{ entity: { id: "1", title: "Ada" }, start: 2, end: 6 }], before, after, caret);
    assert.deepEqual(
      tags.map(({ start, end }) => [start, end]),
      places,
    );
  });
}
