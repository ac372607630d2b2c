/** An empty chat. */
import { css } from "../css.js";

export const startStyles = css`
  .start {
    display: flex;
    flex: 1 0 auto;
    flex-direction: column;
    gap: calc(var(--space) * 1.25);
    justify-content: flex-end;
    padding-block: 2em 1em;
  }
  .greeting {
    padding-inline: 0.3125em;
    font-size: 1.6em;
    font-weight: 600;
    letter-spacing: -0.01em;
    line-height: 1.25;
    overflow-wrap: anywhere;
    text-align: match-parent;
    text-align: -webkit-match-parent;
    text-wrap: balance;
    word-break: auto-phrase;
  }
  .prompts {
    display: grid;
    gap: 0.125em 0.5em;
  }
  .prompt {
    display: flex;
    gap: 0.75em;
    align-items: center;
    inline-size: 100%;
    padding: 0.5625em 0.5em;
    border: 0;
    border-radius: var(--round-small);
    background: none;
    overflow-wrap: anywhere;
    text-align: start;
  }
  .prompt:hover {
    background: var(--fill);
  }
  .prompt .icon {
    color: var(--start-icon);
  }
  @container (min-width: 40em) {
    .prompts:has(> :nth-child(5)) {
      grid-template-columns: 1fr 1fr;
    }
  }
  @container (max-width: 26em) {
    .greeting {
      font-size: 1.4em;
    }
  }
`;
