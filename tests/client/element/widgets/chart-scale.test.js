import "../../page.js";
import assert from "node:assert/strict";
import test from "node:test";
import {
  curve,
  readChart,
  roundTicks,
  rowsThatFit,
} from "../../../../chatkit_app/client/element/widgets/chart-scale.js";

const ROWS = [
  { month: "January", sold: 12000, spent: 8000 },
  { month: "February", sold: 4000, spent: -2000 },
];
const series = (dataKey, fields) => ({ type: "bar", dataKey, color: "red-500", ...fields });

test("ticks are round and hold all values", () => {
  assert.deepEqual(roundTicks(0, 16000, 4), [0, 5000, 10000, 15000, 20000]);
  assert.deepEqual(roundTicks(-2000, 12000, 4), [-5000, 0, 5000, 10000, 15000]);
  assert.deepEqual(roundTicks(0, 0.3, 3), [0, 0.1, 0.2, 0.3]);
  assert.deepEqual(roundTicks(0, 0, 4), [0, 0.5]);
});

test("bars of a stack stand on each other, and those below the line hang", () => {
  const {
    series: read,
    low,
    high,
  } = readChart({
    data: ROWS,
    xAxis: "month",
    series: [series("sold", { stack: "all" }), series("spent", { stack: "all" })],
  });
  assert.deepEqual(
    read.map(({ from, to }) => [from, to]),
    [
      [
        [0, 0],
        [12000, 4000],
      ],
      [
        [12000, 0],
        [20000, -2000],
      ],
    ],
  );
  assert.deepEqual([low, high], [-2000, 20000]);
});

test("labels may be others than the values", () => {
  const { labels } = readChart({ data: ROWS, xAxis: { dataKey: "month", labels: { January: "Jan" } }, series: [] });
  assert.deepEqual(labels, ["Jan", "February"]);
});

test("series of an unknown type, or without a key, is none", () => {
  const given = [null, "x", {}, { dataKey: ["sold"] }, { type: "pie", dataKey: "sold" }, series("sold")];
  assert.equal(readChart({ data: ROWS, xAxis: "month", series: given }).series.length, 1);
});

test("value that is no number is none, and one without bounds is within them", () => {
  const data = [{ sold: "12" }, { sold: null }, { sold: "twelve" }, { sold: 1e308 }];
  const [{ values }] = readChart({ data, xAxis: "month", series: [series("sold")] }).series;
  assert.deepEqual(values, [12, NaN, NaN, 1e100]);
});

test("rows that fit are all of them, or the lowest and the highest of each run", () => {
  const values = [0, 5, 1, 9, 2, 3, 8, 4];
  assert.deepEqual(rowsThatFit([{ values }], 8, 8), [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.deepEqual(rowsThatFit([{ values }], 8, 4), [0, 3, 4, 6]);
});

test("curve is of its type", () => {
  const points = [
    [0, 0],
    [10, 10],
  ];
  assert.equal(curve(points, "linear"), "0 0L10 10");
  assert.equal(curve(points, "linearClosed"), "0 0L10 10");
  assert.equal(curve(points, "step"), "0 0H5V10H10");
  assert.equal(curve(points, "stepBefore"), "0 0V10H10");
  assert.equal(curve(points, "stepAfter"), "0 0H10V10");
  assert.match(curve(points, "monotone"), /^0 0C/);
  assert.match(curve(points, "basisOpen"), /^0 0C/);
});

test("smooth curve stays between its points", () => {
  const points = [0, 0, 10, 10, 0].map((y, x) => [x * 3, y]);
  const heights = [...curve(points, "natural").matchAll(/[\d.]+ ([\d.]+)/g)].map(([, y]) => Number(y));
  assert.equal(Math.min(...heights), 0);
  assert.equal(Math.max(...heights), 10);
});
