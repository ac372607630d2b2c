/** What goes with a message of the user. */
import { css } from "../css.js";

export const messageExtraStyles = css`
  .quoted {
    display: -webkit-box;
    max-inline-size: min(88%, 34em);
    padding-inline-start: 0.75em;
    overflow: hidden;
    border-inline-start: 2px solid var(--line);
    color: var(--muted);
    white-space: pre-wrap;
    -webkit-box-orient: vertical;
    -webkit-line-clamp: 3;
  }
  .tag {
    padding: 0 0.4375em;
    border-radius: 0.4375em;
    background: var(--info-fill);
    color: var(--info);
  }
  button.tag:hover {
    text-decoration: underline;
  }
  .attachments {
    display: flex;
    flex-wrap: wrap;
    gap: 0.375em;
    align-items: end;
    justify-content: end;
  }
  .assistant .attachments {
    justify-content: start;
    margin-block-start: 0.5em;
  }
  .attachments img {
    display: block;
    inline-size: 7em;
    block-size: 7em;
    border-radius: var(--round-small);
    object-fit: cover;
  }
  .attachments > :only-child img {
    inline-size: auto;
    min-inline-size: 4em;
    max-inline-size: 100%;
    block-size: auto;
    max-block-size: 15em;
  }
  .attached-file > .icon {
    color: var(--muted);
  }
  .attached-file {
    max-inline-size: min(18em, 100%);
    padding: 0.5em 0.75em;
    border: 1px solid var(--line);
    border-radius: var(--round-small);
  }
  .attached-file > a {
    min-inline-size: 0;
    color: var(--link);
  }
  .attached-file > :last-child:not(.ellipsis) {
    flex: none;
  }
`;
