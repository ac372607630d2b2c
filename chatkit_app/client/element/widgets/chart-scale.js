/** What a chart's data come to: series and their stacks, round ticks, the rows that fit, and curves. */
import { asLabel, asList, asNumber, asObject, asText } from "../values.js";
import { color, SERIES_COLORS } from "./colors.js";

const MAX_SERIES = 40;
/** Beyond, sums and powers of ten would leave the range of numbers. */
const HUGE = 1e100;

/**
 * `stack` is what those share that stand on each other. The lists have one number for each row: the value, which is
 * NaN where there is none, and where it begins and ends in its stack.
 *
 * @typedef {{
 *   type: string, label: string, color: string, curve: string, stack: string,
 *   values: number[], from: number[], to: number[],
 * }} Series
 */

/** @param {Record<string, any>} props those of the widget */
export function readChart({ data, series, xAxis }) {
  const rows = asList(data).map(asObject);
  const { dataKey = xAxis, labels: names } = asObject(xAxis);
  const labels = rows.map((row) => {
    const value = asText(row[asText(dataKey)]);
    return asLabel(Object.hasOwn(asObject(names), value) ? names[value] : value);
  });
  /** @type {Record<string, number[]>} */
  const sums = {};
  let [low, high] = [0, 0];
  const read = (/** @type {Record<string, any>} */ entry, /** @type {number} */ index) => {
    const { type = "bar", label, dataKey, stack, color: given, curveType } = entry;
    const values = rows.map((row) => Math.min(Math.max(asNumber(row[asText(dataKey)], NaN), -HUGE), HUGE));
    /** @type {Series} */
    const own = {
      type,
      label: asLabel(label) || asLabel(dataKey),
      color: color(given, "chart") ?? color(SERIES_COLORS[index % SERIES_COLORS.length], "chart") ?? "",
      curve: asText(curveType),
      stack: type + (type !== "line" && asText(stack) ? ` ${asText(stack)}` : index),
      values,
      from: [],
      to: [],
    };
    // Bars below the line are stacked downwards; a stacked area goes on where there is no value.
    const above = (sums[own.stack] ??= []);
    const below = type === "bar" ? (sums[`-${own.stack}`] ??= []) : above;
    const isStacked = own.stack.includes(" ");
    values.forEach((value, row) => {
      const sum = value < 0 ? below : above;
      own.from[row] = sum[row] || 0;
      own.to[row] = sum[row] = own.from[row] + (isStacked ? value || 0 : value);
      low = Math.min(low, own.to[row] || 0);
      high = Math.max(high, own.to[row] || 0);
    });
    return own;
  };
  const isKnown = (/** @type {Record<string, unknown>} */ { type = "bar", dataKey }) =>
    asText(dataKey) && ["bar", "line", "area"].includes(asText(type));
  return { labels, series: asList(series).map(asObject).filter(isKnown).slice(0, MAX_SERIES).map(read), low, high };
}

/**
 * @param {number} low not above zero
 * @param {number} high not below zero
 * @param {number} count about how many
 * @returns {number[]} round numbers, zero among them, that hold all between the first and the last
 */
export function roundTicks(low, high, count) {
  const span = high - low > 1 / HUGE ? high - low : 1;
  const power = 10 ** Math.floor(Math.log10(span / count));
  const step = power * ([1, 2, 5].find((factor) => factor * power * count >= span) ?? 10);
  const ticks = [];
  const last = Math.max(Math.ceil(high / step), low < 0 ? 0 : 1);
  for (let index = Math.floor(low / step); index <= last; index++) ticks.push(Number((index * step).toPrecision(9)));
  return ticks;
}

/**
 * @param {Series[]} series
 * @param {number} count of the rows
 * @param {number} limit
 * @returns {number[]} at most so many rows: the lowest and the highest of each run of them, so that peaks stay
 */
export function rowsThatFit(series, count, limit) {
  if (count <= limit) return [...Array(count).keys()];
  const heights = Array.from({ length: count }, (_, row) =>
    series.reduce((sum, { values }) => sum + (values[row] || 0), 0),
  );
  const length = Math.ceil((2 * count) / limit);
  /** @type {Set<number>} */
  const rows = new Set();
  for (let start = 0; start < count; start += length) {
    let [low, high] = [start, start];
    for (let row = start; row < Math.min(start + length, count); row++) {
      if (heights[row] < heights[low]) low = row;
      if (heights[row] > heights[high]) high = row;
    }
    rows.add(Math.min(low, high)).add(Math.max(low, high));
  }
  return [...rows];
}

/** @typedef {[x: number, y: number]} Point */

/**
 * @param {Point[]} points
 * @param {string} type one of the client's; what is neither straight nor stepped, or not said, becomes a monotone curve
 * @returns {string} the data of a path, without the first command
 */
export function curve(points, type) {
  const slope = (/** @type {number} */ index) => {
    const [start, end] = [points[index], points[index + 1]];
    return (end[1] - start[1]) / (end[0] - start[0]);
  };
  const tangent = (/** @type {number} */ index) => {
    const before = slope(Math.max(index - 1, 0));
    const after = slope(Math.min(index, points.length - 2));
    return before * after > 0 ? (2 * before * after) / (before + after) : 0;
  };
  return points
    .map(([x, y], index) => {
      if (!index) return `${x} ${y}`;
      const [x0, y0] = points[index - 1];
      if (type.startsWith("linear")) return `L${x} ${y}`;
      if (type === "stepBefore") return `V${y}H${x}`;
      if (type === "stepAfter") return `H${x}V${y}`;
      if (type === "step") return `H${(x0 + x) / 2}V${y}H${x}`;
      const third = (x - x0) / 3;
      return `C${x0 + third} ${y0 + tangent(index - 1) * third} ${x - third} ${y - tangent(index) * third} ${x} ${y}`;
    })
    .join("");
}
