/** What has to be known about an answer. */
import { css } from "../css.js";

export const noticeStyles = css`
  .notice {
    display: flex;
    gap: 0.625em;
    align-items: center;
    padding: 0.625em 0.875em;
    border-radius: var(--round-small);
    background: var(--fill);
  }
  .notice > div {
    flex: 1;
    min-inline-size: 0;
    overflow-wrap: anywhere;
  }
  .notice .markdown a {
    color: inherit;
  }
  .notice[data-level="warning"] {
    background: var(--warning-fill);
    color: var(--warning);
  }
  .notice[data-level="danger"] {
    background: var(--danger-fill);
    color: var(--danger);
  }
  .notice + .notice {
    margin-block-start: 0.5em;
  }
`;
