/** The list of conversations. */
import { css } from "../css.js";

export const historyStyles = css`
  .history {
    position: absolute;
    inset: 0 0 var(--keyboard, 0px);
    block-size: auto;
    background: var(--surface);
  }
  /* It is pushed away sideways. */
  .history,
  .history * {
    touch-action: pan-y pinch-zoom;
  }
  .history .scroller {
    flex: 1;
    min-block-size: 0;
    padding: 0.25em var(--space) var(--space);
  }
  .history-column {
    display: flex;
    flex-direction: column;
    inline-size: 100%;
    max-inline-size: 46em;
    margin-inline: auto;
  }
  .history-search {
    margin-block-end: 0.5em;
  }
  .history-problem:not(:empty) {
    margin-block-end: 0.5em;
    padding: 0.625em 0.875em;
    border-radius: var(--round-small);
    background: var(--danger-fill);
    color: var(--danger);
    overflow-wrap: anywhere;
  }
  .history-status:not(:empty) {
    padding: 2em 0.5em;
    color: var(--muted);
    text-align: center;
  }
  .history-column > .button {
    align-self: center;
    margin-block-start: 0.75em;
  }
  .history-new {
    display: flex;
    gap: 0.75em;
    align-items: center;
    margin-block-end: 0.25em;
    font-weight: 550;
  }
  .history-archived {
    margin-block-start: 1em;
    color: var(--muted);
  }
  .history-new,
  .history-archived {
    padding: 0.75em 0.875em;
    border: 0;
    border-radius: var(--round-small);
    background: none;
    text-align: start;
  }
  :is(.history-new, .history-archived):hover {
    background: var(--fill);
    color: var(--text);
  }
  .threads > h3 {
    padding: 1em 0.875em 0.375em;
    color: var(--muted);
    font-size: 0.87em;
    font-weight: 550;
  }
  .threads > h3:first-child {
    padding-block-start: 0.5em;
  }
  .thread-item {
    display: flex;
    align-items: center;
    border-radius: var(--round-small);
  }
  .thread-item:is(:hover, :focus-within, :has([aria-current])) {
    background: var(--fill);
  }
  .thread-item:has([aria-current]) .thread-title {
    font-weight: 600;
  }
  .thread-row {
    display: flex;
    flex: 1;
    gap: 0.75em;
    align-items: baseline;
    min-inline-size: 0;
    padding: 0.75em 0.875em;
    border: 0;
    border-radius: inherit;
    background: none;
    text-align: start;
  }
  .thread-text {
    flex: 1;
    min-inline-size: 0;
  }
  .thread-title {
    display: flex;
    min-inline-size: 0;
  }
  .thread-excerpt:not(:empty) {
    display: block;
    margin-block-start: 0.125em;
    overflow: hidden;
    color: var(--muted);
    font-size: 0.87em;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .history mark {
    background: none;
    color: var(--text);
    font-weight: 650;
  }
  .thread-title bdi {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .thread-dot {
    flex: none;
    align-self: center;
    inline-size: 0.5em;
    block-size: 0.5em;
    border-radius: 50%;
    background: var(--accent);
    animation: thread-dot 1.4s ease-in-out infinite alternate;
  }
  @keyframes thread-dot {
    to {
      opacity: 0.35;
    }
  }
  .thread-row time {
    flex: none;
    color: var(--muted);
    font-size: 0.87em;
  }
  .thread-actions {
    inline-size: 2.25em;
    block-size: 2.25em;
  }
  .thread-actions:hover {
    background: var(--fill-strong);
  }
  .thread-item .title-editor {
    flex: 1;
    padding: 0.1875em 0.375em;
  }
  @container (max-width: 26em) {
    .thread-row time {
      display: none;
    }
  }
  @media (hover: hover) {
    .thread-item:not(:hover, :focus-within) .thread-actions {
      opacity: 0;
    }
  }
  @media (forced-colors: active) {
    .thread-item:has([aria-current]) {
      outline: 2px solid Highlight;
      outline-offset: -2px;
    }
    .thread-dot {
      background: Highlight;
      forced-color-adjust: none;
    }
  }
`;
