/** The widget `Chart`: bars, lines and areas, drawn for the room that there is, and a table for those who listen. */
import { h, setAttribute, setStyle } from "../dom.js";
import { svg } from "../icons.js";
import { asNumber, asObject } from "../values.js";
import { curve, readChart, roundTicks, rowsThatFit } from "./chart-scale.js";
import { addStyles } from "../style-sheet.js";
import { chartStyles } from "./chart.css.js";
/** @import {Host} from "../host.js" */
/** @import {Point, Series} from "./chart-scale.js" */

addStyles({ chart: chartStyles });

const MAX_TABLE_ROWS = 100;
const MAX_BAR = 56;
/** Of a label that is longer than its place is wide. */
const MAX_LABEL = 80;
const GAP = 8;

const canvas = document.createElement("canvas").getContext("2d");

export class ChartView {
  #host;
  #legend = h("ul", { class: "chart-legend", part: "chart-legend", role: "list", "aria-hidden": "true" });
  #drawing = svg("svg", { "aria-hidden": "true" });
  #tip = h("div", { class: "chart-tip", part: "chart-tooltip", "aria-hidden": "true", hidden: true });
  #plot = h("div", { class: "chart-plot", role: "img" }, this.#drawing, this.#tip);
  #table = h("div", { class: "visually-hidden" });
  node = h("div", { class: "chart", part: "chart" }, this.#legend, this.#plot, this.#table);

  /** @type {Record<string, any>} */
  #props = {};
  #chart = readChart({});
  #format = numberFormat(undefined);

  // As it was drawn last: which rows, where, and at which place among them somebody looks.
  /** @type {number[]} */
  #rows = [];
  #left = 0;
  #step = 1;
  /** @type {(value: number) => number} */
  #y = Number;
  #cursor = svg("g", { class: "chart-cursor" });
  #place = -1;

  /** @param {Host} host */
  constructor(host) {
    this.#host = host;
    const point = (/** @type {PointerEvent} */ event) => {
      this.#show(Math.floor((event.clientX - this.#plot.getBoundingClientRect().left - this.#left) / this.#step));
    };
    this.#plot.addEventListener("pointermove", point);
    this.#plot.addEventListener("pointerdown", point);
    this.#plot.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && this.#show(-1));
    this.#plot.addEventListener("blur", () => this.#show(-1));
    this.#plot.addEventListener("keydown", (event) => this.#move(event));
    new ResizeObserver(() => this.#draw()).observe(this.#plot);
  }

  /** @param {unknown} props those of the widget */
  update(props) {
    this.#props = asObject(props);
    this.#chart = readChart(this.#props);
    this.#format = numberFormat(this.#host.language);
    const { labels, series } = this.#chart;
    const names = series.map(({ label }) => label).join(", ");
    this.#legend.hidden = !(this.#props.showLegend ?? series.length > 1);
    this.#legend.replaceChildren(...series.map((entry) => h("li", {}, swatch(entry), entry.label)));
    this.#plot.setAttribute("aria-label", this.#host.text("chart", { series: names }));
    setAttribute(this.#plot, "tabindex", labels.length > 0 && this.#props.showTooltip !== false && "0");

    const rows = rowsThatFit(series, labels.length, MAX_TABLE_ROWS);
    const part = this.#host.text("chartRows", { shown: rows.length, count: labels.length });
    const line = (/** @type {Node} */ head, /** @type {(entry: Series) => Node} */ cell) =>
      h("tr", {}, head, ...series.map(cell));
    this.#table.replaceChildren(
      h(
        "table",
        {},
        h("caption", {}, rows.length < labels.length ? `${names} (${part})` : names),
        line(h("td"), ({ label }) => h("th", { scope: "col" }, label)),
        ...rows.map((row) =>
          line(h("th", { scope: "row" }, labels[row]), ({ values }) => h("td", {}, this.#format(values[row]))),
        ),
      ),
    );
    this.#draw();
  }

  /** Draw it for the size that it has; nothing while it is not in the page. */
  #draw() {
    const { clientWidth: width, clientHeight: height } = this.#plot;
    if (!width || !height) return;
    const { labels, series, low, high } = this.#chart;
    const { showYAxis, xAxis } = this.#props;
    const bars = series.filter(({ type }) => type === "bar");
    this.#rows = series.length ? rowsThatFit(series, labels.length, width / (bars.length ? 4 : 2)) : [];
    if (!this.#rows.length) {
      this.#show(-1);
      const text = { x: width / 2, y: height / 2, "text-anchor": "middle" };
      this.#drawing.replaceChildren(svg("text", text, this.#host.text("chartEmpty")));
      return;
    }

    if (canvas) canvas.font = getComputedStyle(this.#drawing).font;
    const ticks = roundTicks(low, high, Math.min(Math.max(Math.floor(height / 50), 2), 6));
    const numbers = ticks.map((tick) => this.#format(tick, true));
    const isBare = Boolean(asObject(xAxis).hide);
    const names = this.#rows.map((row) => (isBare ? "" : shorten(labels[row], width / this.#rows.length)));
    const widest = Math.max(...names.map(measure));
    const room = width - (showYAxis ? Math.max(...numbers.map(measure)) + GAP : 0);
    const isTight = widest + GAP / 2 > room / names.length;
    const slant = isTight && names.length <= 12 && height > 160 ? widest * Math.SQRT1_2 : 0;
    this.#left = Math.max(width - room, slant && slant + 2 * GAP - room / names.length / 2);
    this.#step = (width - this.#left) / names.length;
    const bottom = height - (widest ? 3 * GAP : GAP) - slant;
    const scale = (bottom - GAP) / (ticks[ticks.length - 1] - ticks[0]);
    this.#y = (value) => Math.round((bottom - (value - ticks[0]) * scale) * 10) / 10;

    const stacks = [...new Set(bars.map(({ stack }) => stack))];
    const curves = series.filter(({ type }) => type !== "bar");
    this.#drawing.replaceChildren(
      ...ticks.map((tick) =>
        svg("path", { class: tick ? "chart-line" : "chart-zero", d: `M${this.#left} ${this.#y(tick)}H${width}` }),
      ),
      ...ticks.map((tick, index) => {
        const place = { x: this.#left - GAP, y: this.#y(tick) + 4, "text-anchor": "end" };
        return showYAxis ? svg("text", place, numbers[index]) : "";
      }),
      ...this.#xLabels(names, width, bottom + 2 * GAP, slant > 0),
      ...curves.map((entry) => shape(entry, "chart-area", entry.type === "area" ? this.#curvesOf(entry, true) : "")),
      ...bars.map((entry) => shape(entry, "chart-bar", this.#barsOf(entry, stacks))),
      ...curves.map((entry) => shape(entry, "chart-curve", this.#curvesOf(entry))),
      this.#cursor,
    );
    this.#show(this.#place);
  }

  /** The middle of a place among the rows that are drawn. */
  #x(/** @type {number} */ place) {
    return Math.round((this.#left + this.#step * (place + 0.5)) * 10) / 10;
  }

  /**
   * All labels, slanted, or as many as fit side by side.
   *
   * @param {string[]} names
   * @param {number} width
   * @param {number} y
   * @param {boolean} isSlanted
   */
  #xLabels(names, width, y, isSlanted) {
    const every = isSlanted ? 1 : Math.ceil((Math.max(...names.map(measure)) + GAP / 2) / this.#step);
    let end = -GAP;
    return names.map((name, place) => {
      const x = this.#x(place);
      if (isSlanted) return svg("text", { x, y, "text-anchor": "end", transform: `rotate(-45 ${x} ${y})` }, name);
      const half = measure(name) / 2;
      const middle = Math.min(Math.max(x, half), width - half);
      if ((place - ((every - 1) >> 1)) % every || middle - half < end + GAP / 2) return "";
      end = middle + half;
      return svg("text", { x: middle, y, "text-anchor": "middle" }, name);
    });
  }

  /**
   * A curve, or the area under it, of each run of rows that have a number.
   *
   * @param {Series} series
   */
  #curvesOf({ from, to, curve: type }, isArea = false) {
    /** @type {{top: Point[], floor: Point[]}[]} */
    const runs = [];
    this.#rows.forEach((row, place) => {
      if (Number.isNaN(to[row])) return;
      if (!place || Number.isNaN(to[this.#rows[place - 1]])) runs.push({ top: [], floor: [] });
      const { top, floor } = runs[runs.length - 1];
      top.push([this.#x(place), this.#y(to[row])]);
      floor.unshift([this.#x(place), this.#y(from[row])]);
    });
    const backwards = { stepBefore: "stepAfter", stepAfter: "stepBefore" }[type] ?? type;
    return runs
      .map(({ top, floor }) => {
        if (isArea) return `M${curve(top, type)}L${curve(floor, backwards)}Z`;
        return top.length > 1 ? `M${curve(top, type)}` : `M${top}m-1 0a1 1 0 1 0 2 0 1 1 0 1 0-2 0`;
      })
      .join("");
  }

  /**
   * @param {Series} series
   * @param {string[]} stacks those that stand side by side
   */
  #barsOf(series, stacks) {
    const { barCategoryGap, barGap } = this.#props;
    const room = this.#step - Math.min(Math.max(asNumber(barCategoryGap, this.#step / 4), 0), this.#step * 0.75);
    const gap = Math.min(Math.max(asNumber(barGap, 3), 0), room / stacks.length / 2);
    const width = Math.min((room + gap) / stacks.length - gap, MAX_BAR);
    const offset = stacks.indexOf(series.stack) * (width + gap) - (stacks.length * (width + gap) - gap) / 2;
    const outside = this.#chart.series.slice(this.#chart.series.indexOf(series) + 1);
    return this.#rows
      .map((row, place) => {
        const value = series.values[row];
        if (!value) return "";
        const [start, end] = [this.#y(series.from[row]), this.#y(series.to[row])];
        const isEnd = !outside.some(({ stack, values }) => stack === series.stack && values[row] * value > 0);
        const round = isEnd ? Math.min(4, width / 2, Math.abs(end - start)) : 0;
        const up = Math.sign(start - end) * round;
        return (
          `M${this.#x(place) + offset} ${start}V${end + up}q0 ${-up} ${round} ${-up}` +
          `h${width - 2 * round}q${round} 0 ${round} ${up}V${start}z`
        );
      })
      .join("");
  }

  /** Show the numbers of a place, or none for a place that is not there. */
  #show(/** @type {number} */ place) {
    const { labels, series } = this.#chart;
    const row = this.#rows[place];
    const isShown = row !== undefined && this.#props.showTooltip !== false;
    this.#tip.hidden = !isShown;
    this.#place = isShown ? place : -1;
    this.#cursor.replaceChildren();
    if (!isShown) return;
    const x = this.#x(place);
    this.#cursor.append(
      svg("rect", { x: x - this.#step / 2, y: 0, width: this.#step, height: "100%" }),
      ...series.map((entry) =>
        entry.type === "bar" || Number.isNaN(entry.to[row])
          ? ""
          : paint(svg("circle", { cx: x, cy: this.#y(entry.to[row]), r: 4 }), entry),
      ),
    );
    this.#tip.replaceChildren(
      h("strong", {}, labels[row]),
      ...series.map((entry) =>
        h("div", {}, swatch(entry), h("span", {}, `${entry.label} `), this.#format(entry.values[row])),
      ),
    );
    const { clientWidth: width } = this.#plot;
    setStyle(this.#tip, "left", x > width / 2 ? null : `${x + GAP}px`);
    setStyle(this.#tip, "right", x > width / 2 ? `${width - x + GAP}px` : null);
  }

  /** @param {KeyboardEvent} event */
  #move(event) {
    const last = this.#rows.length - 1;
    const place = {
      ArrowRight: Math.min(this.#place + 1, last),
      ArrowLeft: this.#place < 0 ? last : Math.max(this.#place - 1, 0),
      Home: 0,
      End: last,
      Escape: this.#place < 0 ? undefined : -1,
    }[event.key];
    if (place === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    this.#show(place);
    if (place >= 0) this.#host.announce(Array.from(this.#tip.children, (node) => node.textContent).join(", "));
  }
}

/**
 * @template {HTMLElement|SVGElement} Painted
 * @param {Painted} node
 * @param {Series} series
 */
function paint(node, series) {
  setStyle(node, "--series", series.color);
  return node;
}

/** @type {(series: Series) => Node} */
const swatch = (series) => paint(h("i"), series);

/** @type {(series: Series, className: string, d: string) => Node} */
const shape = (series, className, d) => paint(svg("path", { class: className, d }), series);

/** @type {(text: string) => number} */
const measure = (text) => canvas?.measureText(text).width ?? 0;

/** @type {(text: string, place: number) => string} */
function shorten(text, place) {
  const whole = measure(text);
  const width = Math.max(place - GAP, MAX_LABEL);
  return whole > width ? `${text.slice(0, (text.length * width) / whole - 1).trim()}…` : text;
}

/** @param {string|undefined} language */
function numberFormat(language) {
  const plain = new Intl.NumberFormat(language, { maximumFractionDigits: 3 });
  const compact = new Intl.NumberFormat(language, { notation: "compact", maximumSignificantDigits: 4 });
  return (/** @type {number} */ value, isShort = false) => {
    if (Number.isNaN(value)) return "–";
    const size = Math.abs(value);
    if (size >= 1e15 || (size > 0 && size < 0.01)) return String(Number(value.toPrecision(3)));
    return (isShort && size >= 1e4 ? compact : plain).format(value);
  };
}
