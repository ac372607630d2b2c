/** What an answer rests on. */
import { css } from "../css.js";

export const sourceStyles = css`
  .citation {
    display: inline-flex;
    gap: 0.25em;
    align-items: center;
    max-inline-size: 14em;
    margin-inline-start: 0.25em;
    padding-inline: 0.5em;
    border-radius: 1em;
    background: var(--fill-strong);
    color: var(--muted) !important;
    font: 500 0.75em / 1.6 var(--font);
    vertical-align: 0.125em;
  }
  /* One that has an icon alone stands on the line like the others. */
  .citation::before {
    content: "\u200b";
    margin-inline-end: -0.25em;
  }
  .citation:is(:hover, :focus-visible) {
    background: var(--text);
    color: var(--surface) !important;
  }
  .card {
    inline-size: max-content;
    max-inline-size: min(20em, 100vw - 1em);
    padding: 0.75em 0.875em;
    font-size: 0.9em;
    text-align: start;
    white-space: normal;
  }
  .source-card {
    display: grid;
    gap: 0.25em;
  }
  .source-card p {
    display: -webkit-box;
    overflow: hidden;
    -webkit-box-orient: vertical;
    -webkit-line-clamp: 3;
  }
  .source-place,
  .source > .icon,
  .source > :nth-child(3) {
    color: var(--muted);
  }
  .source {
    inline-size: fit-content;
    margin-inline-start: -0.5em;
    padding: 0.1875em 0.5em;
    border-radius: var(--round-small);
  }
  :is(a, button).source:hover,
  .choice:is(:hover, :has(:checked)) {
    background: var(--fill);
  }
  .source > :nth-child(3) {
    flex: 0 9 auto;
    min-inline-size: 4em;
  }
  .source-group {
    margin-block-start: 0.375em;
  }
`;
