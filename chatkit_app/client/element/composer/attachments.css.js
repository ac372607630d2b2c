/** The files that go with a message. */
import { css } from "../css.js";

export const attachmentStyles = css`
  .files {
    display: flex;
    flex-wrap: wrap;
    gap: 0.375em;
    max-block-size: 11em;
    overflow-y: auto;
  }
  .file {
    display: flex;
    flex: 0 1 15em;
    gap: 0.5em;
    align-items: center;
    min-inline-size: 0;
    padding: 0.25em;
    border: 1px solid var(--line);
    border-radius: var(--round-small);
    cursor: default;
  }
  .file-picture {
    display: grid;
    flex: none;
    place-items: center;
    inline-size: 2.5em;
    block-size: 2.5em;
    overflow: hidden;
    border-radius: calc(var(--round-small) * 0.6);
    background: var(--fill);
    color: var(--muted);
  }
  .file-picture > :is(canvas, img) {
    inline-size: 100%;
    block-size: 100%;
    object-fit: cover;
  }
  .file-text {
    display: grid;
    flex: 1;
    min-inline-size: 0;
    font-size: 0.87em;
    line-height: 1.35;
  }
  .file-name {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .file-text > bdi {
    text-align: match-parent;
    text-align: -webkit-match-parent;
  }
  .file-note {
    color: var(--muted);
  }
  .file[data-state="failed"] {
    border-color: var(--danger);
  }
  .file[data-state="failed"] .file-note {
    color: var(--danger);
  }
  .file .icon-button {
    --control: max(1.75em, 28px);
  }
  /* A row to be swiped: one above the other would leave no room for the conversation. */
  @container (max-width: 26em) {
    .files {
      flex-wrap: nowrap;
    }
    .file {
      flex: none;
      inline-size: 12em;
    }
    .file:only-child {
      inline-size: 100%;
    }
  }
`;
