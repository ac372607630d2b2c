/** The widget `Chart`. */
import { css } from "../css.js";

export const chartStyles = css`
  .chart {
    display: flex;
    flex-direction: column;
    gap: 0.75em;
    inline-size: 100%;
    min-block-size: 0;
    max-block-size: 60em;
  }
  .chart:not([style*="height"], [style*="aspect-ratio"]) {
    aspect-ratio: 4 / 3;
  }
  .chart-plot {
    position: relative;
    flex: 1 1 14em;
    min-block-size: 6em;
    border-radius: 0.25em;
    touch-action: pan-y;
  }
  .chart-plot svg {
    position: absolute;
    inset: 0;
    overflow: visible;
    inline-size: 100%;
    block-size: 100%;
    direction: ltr;
    color: var(--muted);
    font-size: 0.8em;
  }
  .chart-plot text {
    fill: currentcolor;
  }
  .chart-line,
  .chart-zero {
    stroke: var(--line);
  }
  .chart-zero {
    stroke: color-mix(in srgb, var(--muted) 60%, var(--line));
  }
  .chart-area,
  .chart-bar,
  .chart-cursor circle {
    fill: var(--series);
  }
  .chart-area {
    fill-opacity: 0.22;
  }
  .chart-curve {
    fill: none;
    stroke: var(--series);
    stroke-width: 2;
    stroke-linecap: round;
    stroke-linejoin: round;
  }
  .chart-cursor rect {
    fill: var(--text);
    fill-opacity: 0.07;
  }
  .chart-cursor circle {
    stroke: var(--surface);
    stroke-width: 2;
  }
  .chart-legend {
    display: flex;
    flex-wrap: wrap;
    order: 1;
    gap: 0.25em 1em;
    justify-content: center;
    max-block-size: 5em;
    overflow: auto;
    font-size: 0.875em;
  }
  .chart-legend li {
    display: flex;
    align-items: baseline;
    gap: 0.5em;
    overflow-wrap: anywhere;
  }
  .chart i {
    flex: none;
    inline-size: 0.625em;
    block-size: 0.625em;
    border-radius: 2px;
    background: var(--series);
    forced-color-adjust: none;
  }
  .chart-tip {
    position: absolute;
    z-index: 1;
    inset-block-start: 0.25em;
    inline-size: max-content;
    max-inline-size: 60%;
    padding: 0.5em 0.75em;
    border: 1px solid var(--line);
    border-radius: var(--round-small);
    background: var(--surface);
    box-shadow: var(--shadow);
    color: var(--text);
    font-size: 0.85em;
    font-variant-numeric: tabular-nums;
    overflow-wrap: anywhere;
    pointer-events: none;
  }
  .chart-tip strong {
    font-weight: 600;
  }
  .chart-tip div {
    display: flex;
    align-items: baseline;
    gap: 0.5em;
  }
  .chart-tip span {
    flex: 1;
    padding-inline-end: 0.75em;
    color: var(--muted);
  }
`;
