/** What can be done with an answer. */
import { css } from "../css.js";

export const turnActionStyles = css`
  .turn-actions {
    display: flex;
    margin-block: 0.375em -0.5em;
    margin-inline-start: -0.5em;
  }
  .turn-actions > .icon-button {
    inline-size: 2.125em;
    block-size: 2.125em;
  }
  .turn-actions[data-live] {
    visibility: hidden;
  }
  .turn-actions .icon {
    inline-size: 1.125em;
  }
  .user > .turn-actions {
    margin-inline: 0 -0.5em;
  }
  .pager {
    display: flex;
    align-items: center;
    color: var(--muted);
    font-size: 0.875em;
    font-variant-numeric: tabular-nums;
  }
  .pager > .icon-button {
    inline-size: 1.875em;
    block-size: 2.125em;
  }
  .earlier-notice {
    margin-block-start: calc(var(--space) * 1.25);
    color: var(--muted);
    font-size: 0.9em;
  }
  @media (hover: hover) {
    /* Between what a person has written and what follows there is room enough. */
    .item:has(> .who-answers):not(:last-child) > .turn-actions {
      position: absolute;
    }
    .item:not(:last-child, :hover) > .turn-actions:not(:focus-within, :has(> .pager)) {
      opacity: 0;
    }
  }
`;
