/** What the user wrote. */
import { css } from "../css.js";

export const userMessageStyles = css`
  .user {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 0.375em;
    justify-items: end;
  }
  .bubble {
    max-inline-size: min(88%, 34em);
    white-space: pre-wrap;
    padding: 0.5em 0.9375em;
    border-radius: var(--round);
    background: var(--fill);
  }
  .fallback {
    padding-inline-start: 0.75em;
    border-inline-start: 2px solid var(--line);
  }
`;
