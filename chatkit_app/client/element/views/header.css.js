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
  }
  .header-actions {
    display: contents;
  }
  .title,
  .header .title-editor {
    flex: 1;
    min-inline-size: 0;
    margin-inline: 0.5em auto;
  }
  .title {
    display: flex;
    font-size: 1em;
    font-weight: 600;
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
  .title-editor {
    position: relative;
  }
  .title-editor .text-field {
    inline-size: 100%;
  }
  .header .title-editor {
    max-inline-size: 30em;
    margin-inline-start: 0;
  }
  .header .title-editor .text-field {
    font-weight: 600;
  }
  .title-problem:not(:empty) {
    padding: 0.25em 0.625em;
    border-radius: var(--round-small);
    background: var(--danger-fill);
    color: var(--danger);
    font-size: 0.87em;
    overflow-wrap: anywhere;
  }
  .header .title-problem {
    position: absolute;
    inset-block-start: calc(100% + 0.25em);
    z-index: 1;
  }
`;
