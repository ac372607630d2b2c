/** Above the conversation, and above the list of conversations. */
import { css } from "../css.js";

export const headerStyles = css`
  .header {
    display: flex;
    flex: none;
    align-items: center;
    gap: 0.25em;
    min-block-size: 3.25em;
    padding: 0.375em 0.625em;
    /* The launcher is pushed away by it. */
    touch-action: var(--header-touch, auto);
  }
  .header .icon {
    inline-size: 1.4375em;
    block-size: 1.4375em;
  }
  .header-actions {
    display: contents;
  }
  .title {
    flex: 1;
    min-inline-size: 0;
    margin-inline: 0.5em auto;
  }
  .title {
    display: flex;
    font-size: 1em;
    font-weight: 500;
  }
  .title,
  .title-button,
  .title bdi {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .title span {
    display: flex;
    min-inline-size: 0;
  }
  .title:has(.title-button) {
    overflow: visible;
  }
  .title-button {
    max-inline-size: 100%;
    margin-inline-start: -0.5em;
    padding: 0.25em 0.5em;
    border: 0;
    border-radius: var(--round-small);
    background: none;
    text-align: start;
    cursor: text;
  }
  .title-button:hover {
    background: var(--fill);
  }
`;
