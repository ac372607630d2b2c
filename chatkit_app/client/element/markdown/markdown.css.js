/** Text with headings, lists, tables and code. */
import { css } from "../css.js";

export const markdownStyles = css`
  .markdown {
    overflow-wrap: anywhere;
  }
  .markdown :is(p, li, h3, h4, h5, h6, th, td) {
    unicode-bidi: plaintext;
  }
  .markdown :is(a, code) {
    unicode-bidi: isolate;
  }
  .markdown > * + *,
  .markdown :is(blockquote, li) > * + * {
    margin-block-start: 0.75em;
  }
  .markdown :is(h3, h4, h5, h6) {
    margin-block: 1.25em 0;
    font-size: 1em;
    font-weight: 650;
    line-height: 1.35;
    text-wrap: balance;
  }
  .markdown h3 {
    font-size: 1.25em;
  }
  .markdown h4 {
    font-size: 1.1em;
  }
  .markdown > :first-child {
    margin-block-start: 0;
  }
  .markdown :is(ul, ol) {
    padding-inline-start: 1.625em;
  }
  .markdown li + li {
    margin-block-start: 0.5em;
  }
  .markdown [data-tight] > li + li,
  .markdown [data-tight] > li > * + * {
    margin-block-start: 0.25em;
  }
  .markdown li::marker {
    color: var(--muted);
  }
  .markdown li:has(> input) {
    list-style: none;
  }
  .markdown li > input {
    float: inline-start;
    margin-block: 0.3em 0;
    margin-inline: -1.5em 0;
    accent-color: var(--muted);
  }
  .markdown a {
    color: var(--link);
    text-underline-offset: 0.15em;
  }
  .markdown img {
    max-inline-size: 100%;
    block-size: auto;
    border-radius: var(--round-small);
  }
  .markdown blockquote {
    padding-inline-start: 0.875em;
    border-inline-start: 3px solid var(--line);
    color: var(--muted);
  }
  .markdown hr {
    border: 0;
    border-block-start: 1px solid var(--line);
    margin-block: 1.25em;
  }
  .markdown code {
    padding: 0.125em 0.3125em;
    border-radius: 0.3125em;
    background: var(--fill);
    font-family: var(--font-mono);
    font-size: 0.9em;
  }
  .markdown .formula {
    white-space: pre-wrap;
  }
  .code {
    overflow: clip;
    border-radius: var(--round-small);
    background: var(--fill);
  }
  .code-header {
    display: flex;
    align-items: baseline;
    justify-content: space-between;
    gap: 0.75em;
    padding: 0.375em 0.875em 0;
    color: var(--muted);
    font-size: 0.85em;
  }
  .code-language {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .code-copy {
    flex: none;
    margin-inline: auto -0.375em;
    padding: 0.125em 0.375em;
    border: 0;
    border-radius: 0.3125em;
    background: none;
  }
  .code-copy:hover {
    background: var(--fill-strong);
    color: var(--text);
  }
  .code pre {
    overflow-x: auto;
    margin: 0;
    padding: 0.5em 0.875em 0.75em;
    line-height: 1.5;
    overflow-wrap: normal;
    text-align: left;
  }
  .code pre code {
    padding: 0;
    background: none;
  }
  .code pre span,
  .markdown .piece {
    display: block;
  }
  .code pre:focus-visible,
  .markdown .table:focus-visible {
    outline-offset: -2px;
  }
  .code-marks:not(:empty) {
    padding: 0 0.875em 0.5em;
  }
  .markdown .table {
    overflow-x: auto;
  }
  .markdown table {
    border-collapse: collapse;
    font-size: 0.95em;
  }
  .markdown :is(th, td) {
    min-inline-size: 4em;
    max-inline-size: 24em;
    padding: 0.4375em 0.75em;
    border-block-end: 1px solid var(--line);
    text-align: match-parent;
    text-align: -webkit-match-parent;
    vertical-align: top;
    overflow-wrap: break-word;
  }
  .markdown :is(th, td):first-child {
    padding-inline-start: 0;
  }
  @media (forced-colors: active) {
    .code,
    .markdown :not(pre) > code {
      border: 1px solid;
    }
  }
`;
