/** Cards and lists. */
import { css } from "../css.js";

export const rootStyles = css`
  .w-card {
    overflow: clip;
    inline-size: 100%;
    max-inline-size: 28em;
    border: 1px solid var(--line);
    border-radius: var(--round);
    background: var(--surface);
  }
  .w-card[data-size="sm"] {
    max-inline-size: 22em;
  }
  .w-card[data-size="lg"] {
    max-inline-size: 36em;
  }
  .w-card[data-size="full"] {
    max-inline-size: none;
  }
  .w-status {
    display: flex;
    gap: 0.5em;
    align-items: center;
    padding: 0.625em 1.125em;
    color: var(--muted);
    font-size: 0.9em;
  }
  .w-status > :is(.icon, img) {
    flex: none;
    inline-size: 1.25em;
    block-size: 1.25em;
    border-radius: 0.25em;
    object-fit: contain;
  }
  .w-body {
    --flush-inline: 1em;
    --flush-block: 1em;
    padding: 1em;
  }
  .w-status:not([hidden]) + .w-body:not([hidden]),
  .w-status:not([hidden]) + ul,
  .w-item + .w-item,
  .w-toggle {
    border: 0 solid var(--line);
    border-block-start-width: 1px;
  }
  .w-body[hidden] ~ .w-toggle {
    border: 0;
  }
  .w-footer {
    display: flex;
    flex-wrap: wrap;
    gap: 0.5em;
    padding: 0 1em 1em;
  }
  .w-footer > .w-button {
    flex: 1;
  }
  .w-toggle {
    display: flex;
    gap: 0.375em;
    align-items: center;
    justify-content: center;
    inline-size: 100%;
    padding: 0.5em 1em;
    background: none;
    color: var(--muted);
    font-size: 0.9em;
  }
  .w-toggle:hover,
  .w-cover:hover {
    background: var(--fill);
  }
  .w-toggle:focus-visible,
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
    list-style: none;
  }
  .w-item > .w-box {
    position: relative;
    gap: 0.75em;
    padding: 0.75em 1em;
  }
  .w-cover {
    position: absolute;
    inset: 0;
    border: 0;
    background: none;
  }
  .w-cover:not([hidden]) + .w-box {
    pointer-events: none;
  }
  .w-cover + .w-box :is(a, button, input, select, textarea, label, [tabindex]) {
    pointer-events: auto;
  }
`;
