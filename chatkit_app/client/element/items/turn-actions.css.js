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
  @media (hover: hover) {
    .item:not(:last-child, :hover) > .turn-actions:not(:focus-within) {
      opacity: 0;
    }
  }
`;
