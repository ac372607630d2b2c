/** Workflows, tasks, and records for staff. */
import { css } from "../css.js";

export const workflowStyles = css`
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
  .toggle + ul {
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
