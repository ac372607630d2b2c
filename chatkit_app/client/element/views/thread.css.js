/** The conversation that scrolls, and what is said about it. */
import { css } from "../css.js";

export const threadStyles = css`
  .thread {
    position: relative;
    flex: 1;
    min-block-size: 0;
  }
  .scroller {
    display: flex;
    flex-direction: column;
    block-size: 100%;
    overflow-y: auto;
    overscroll-behavior: contain;
    scrollbar-width: thin;
    scrollbar-color: var(--line) transparent;
  }
  /* Not a mask: it would have everything painted again with every step of the scrolling. */
  .thread::before,
  .thread::after {
    content: "";
    position: absolute;
    inset-inline: 0 0.75em;
    z-index: 1;
    block-size: 0.75em;
    background: linear-gradient(var(--surface), transparent);
    pointer-events: none;
  }
  .thread::after {
    inset-block-end: 0;
    block-size: 1.25em;
    rotate: 180deg;
  }
  .column,
  .start,
  .composer {
    inline-size: 100%;
    max-inline-size: 50em;
    margin-inline: auto;
    padding-inline: var(--space);
  }
  .column {
    padding-block: 0.75em 1.75em;
  }
  .items {
    display: flex;
    flex-direction: column;
    gap: calc(var(--space) * 1.25);
  }
  .progress,
  .stopped,
  .who-answers,
  .failure,
  .notices {
    margin-block-start: calc(var(--space) * 1.25);
  }
  .progress,
  .stopped,
  .who-answers {
    color: var(--muted);
  }
  .stopped,
  .who-answers {
    font-size: 0.9em;
  }
  .item > .who-answers {
    margin: 0;
    font-weight: 400;
  }
  .handler {
    display: flex;
    flex-wrap: wrap;
    gap: 0 0.75em;
    align-items: baseline;
    font-size: 0.9em;
  }
  .handler > .who-answers {
    font-size: 1em;
  }
  .progress {
    inline-size: fit-content;
    background: linear-gradient(100deg, var(--muted) 40%, var(--line) 50%, var(--muted) 60%) 100% 0 / 250% 100%;
    background-clip: text;
    color: transparent;
    animation: shimmer 1.8s linear infinite;
  }
  @keyframes shimmer {
    to {
      background-position: -50% 0;
    }
  }
  .failure {
    display: flex;
    flex-wrap: wrap;
    gap: 0.625em;
    align-items: center;
  }
  .failure > .icon,
  .failure.problem {
    color: var(--danger);
  }
  .failure > .button {
    min-block-size: 2em;
    padding-block: 0.125em;
    border-color: var(--line);
    font-weight: 500;
  }
  .failure > span {
    flex: 1 1 8em;
    max-inline-size: max-content;
    overflow-wrap: anywhere;
  }
  .jump {
    position: absolute;
    z-index: 2;
    inset-block-end: 0.5em;
    inset-inline: 0;
    grid-auto-flow: column;
    gap: 0.375em;
    inline-size: fit-content;
    min-inline-size: 2.25em;
    block-size: 2.25em;
    margin-inline: auto;
    border: 1px solid var(--line);
    border-radius: 1.125em;
    background: var(--surface);
    box-shadow: var(--shadow);
  }
  @media (forced-colors: active), (prefers-reduced-motion: reduce) {
    .progress {
      animation: none;
      background: none;
      color: var(--muted);
    }
  }
  .jump:has(.news:not(:empty)) {
    padding-inline: 0.75em;
    color: var(--text);
  }
  .news:empty {
    display: none;
  }
`;
