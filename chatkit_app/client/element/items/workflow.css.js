/** Workflows, tasks, and records for staff. */
import { css } from "../css.js";

export const workflowStyles = css`
  .toggle {
    inline-size: fit-content;
    padding-block: 0.25em;
    color: var(--muted);
    cursor: pointer;
    list-style: none;
  }
  .toggle::-webkit-details-marker,
  .toggle:disabled > .icon {
    display: none;
  }
  .toggle:hover:enabled,
  summary.toggle:hover {
    color: var(--text);
  }
  .toggle:disabled {
    cursor: default;
  }
  .toggle > .icon:last-child {
    inline-size: 1em;
    transition: rotate 0.15s;
  }
  :is([open] > .toggle, .toggle[aria-expanded="true"]) > .icon:last-child {
    rotate: 90deg;
  }
  :is([open] > .toggle, .toggle[aria-expanded="true"]):dir(rtl) > .icon:last-child {
    rotate: -90deg;
  }
  .record {
    max-block-size: 20em;
    margin-block: 0.25em 0.5em;
    padding: 0.75em;
    overflow: auto;
    border-radius: var(--round-small);
    background: var(--fill);
    font: 0.87em / 1.5 var(--font-mono);
    white-space: pre-wrap;
  }
  .fallback,
  dd,
  dt,
  legend {
    white-space: pre-line;
  }
  .toggle + ul,
  .parts + div > details {
    margin-block-start: 0.5em;
  }
  .task {
    position: relative;
    display: flex;
    gap: 0.625em;
  }
  .task:not(:last-child) {
    padding-block-end: 0.875em;
  }
  .task:not(:last-child)::before {
    content: "";
    position: absolute;
    inset-block: 1.75em 0.125em;
    inset-inline-start: 0.625em;
    border-inline-start: 1px solid var(--line);
  }
  .task-marker {
    padding-block-start: 0.125em;
    color: var(--muted);
  }
  .task-marker[data-icon="spinner"] > .icon {
    animation: spin 0.9s linear infinite;
  }
  @keyframes spin {
    to {
      rotate: 360deg;
    }
  }
  .task-body {
    flex: 1;
    min-inline-size: 0;
  }
  .queries {
    display: flex;
    flex-wrap: wrap;
    gap: 0.375em;
    margin-block: 0.25em;
  }
  .query {
    padding: 0.125em 0.75em;
    border-radius: 1em;
    background: var(--fill);
  }
`;
