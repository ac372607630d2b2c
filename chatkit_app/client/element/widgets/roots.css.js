/** Cards and lists. */
import { css } from "../css.js";

export const rootStyles = css`
  .w-card {
    overflow: clip;
    inline-size: 100%;
    max-inline-size: 22.5em;
    border: 1px solid var(--line);
    border-radius: min(var(--round), 1.25em);
    background: var(--surface);
  }
  /* By night what is raised is lighter. */
  .w-card:not([data-scheme]) {
    --surface: var(--raised);
    --fill: var(--raised-fill);
    --fill-strong: var(--raised-fill-strong);
  }
  .w-card[data-size="md"] {
    max-inline-size: 27.5em;
  }
  .w-card[data-size="lg"] {
    max-inline-size: 35em;
  }
  .w-card[data-size="full"] {
    max-inline-size: none;
  }
  .w-card:has(+ .w-footer:not([hidden])) {
    box-shadow: var(--shadow);
  }
  .w-status {
    display: flex;
    gap: 0.5em;
    align-items: center;
    padding-block-end: 0.75em;
    color: var(--muted);
    font-weight: 500;
  }
  .w-list > .w-status {
    padding-block-end: 0.5em;
  }
  .w-status > img {
    flex: none;
    inline-size: 1em;
    block-size: 1em;
    border-radius: 0.25em;
    object-fit: contain;
  }
  .w-body {
    --flush-inline: 1em;
    --flush-block: 1em;
    padding: 1em;
  }
  .w-footer {
    display: flex;
    flex-wrap: wrap;
    gap: 0.5em;
    padding-block-start: 1em;
  }
  .w-footer > .w-button {
    font-size: 1em !important;
    font-weight: 400;
  }
  .w-toggle {
    display: flex;
    gap: 0.375em;
    align-items: center;
    justify-content: center;
    inline-size: 100%;
    padding: 0.5em 1em;
    border: 0;
    background: none;
    color: var(--muted);
    font-size: 0.875em;
    font-weight: 500;
  }
  .w-card > .w-body:not([hidden]) + .w-toggle {
    border-block-start: 1px solid var(--line);
  }
  .w-list > .w-toggle {
    inline-size: auto;
    margin-block-start: 0.75em;
    border: 1px solid var(--line);
    border-radius: 9em;
  }
  .w-toggle:hover,
  .w-cover:hover {
    background: var(--fill);
  }
  .w-card > .w-toggle:focus-visible,
  .w-cover:focus-visible,
  .w-table:focus-visible {
    border-radius: var(--round-small);
    outline-offset: -2px;
  }
  .w-toggle[aria-expanded="true"] .icon {
    transform: scaleY(-1);
  }
  .w-item {
    position: relative;
    margin-inline: -0.625em;
    list-style: none;
  }
  .w-item > .w-box {
    position: relative;
    padding: 0.625em;
  }
  .w-cover {
    position: absolute;
    inset: 0;
    border: 0;
    border-radius: min(var(--round-small), 0.625em);
    background: none;
  }
  .w-cover:not([hidden]) + .w-box {
    pointer-events: none;
  }
  .w-cover + .w-box :is(a, button, input, select, textarea, label, [tabindex]) {
    pointer-events: auto;
  }
`;
