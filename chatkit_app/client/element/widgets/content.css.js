/** What is read and looked at: texts, images, badges, tables. */
import { css } from "../css.js";

export const contentStyles = css`
  .w-text {
    margin: 0;
    font-weight: 400;
    line-height: 1.45;
    overflow-wrap: anywhere;
    white-space: pre-line;
  }
  .w-title {
    font-weight: 550;
    line-height: 1.25;
  }
  .w-caption,
  p.w-unknown {
    color: var(--muted);
  }
  .w-label {
    font-weight: 500;
  }
  .w-clamp {
    display: -webkit-box;
    overflow: hidden;
    -webkit-box-orient: vertical;
  }
  .w-truncate {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .w-icon,
  .w-image,
  .w-badge,
  .w-button {
    flex: none;
    max-inline-size: 100%;
  }
  .w-image {
    overflow: clip;
  }
  .w-image > img {
    display: block;
    inline-size: 100%;
    block-size: auto;
    max-block-size: 30em;
    object-fit: var(--fit, cover);
    object-position: var(--position, center);
  }
  .w-sized > img {
    block-size: 100%;
    max-block-size: none;
  }
  .w-image:has(> button) {
    inline-size: auto !important;
    block-size: auto !important;
  }
  .w-image > button {
    inline-size: 100%;
    font-size: 0.87em;
  }
  .w-framed {
    border: 1px solid var(--line);
  }
  .w-box > .w-flush {
    max-inline-size: none;
    margin-inline: calc(-1 * var(--flush-inline));
  }
  .w-image.w-flush:first-child {
    margin-block-start: calc(-1 * var(--flush-block));
  }
  .w-image.w-flush:last-child {
    margin-block-end: calc(-1 * var(--flush-block));
  }
  .widget [data-tone] {
    --tone: var(--text);
    --tone-fill: var(--fill-strong);
    --solid: var(--tone);
    --on-solid: var(--surface);
  }
  .widget [data-tone="primary"] {
    --solid: var(--accent);
    --on-solid: var(--on-accent);
  }
  .widget [data-tone="secondary"] {
    --solid: var(--muted);
  }
  .widget [data-tone="info"] {
    --tone: var(--info);
    --tone-fill: var(--info-fill);
  }
  .widget [data-tone="discovery"] {
    --tone: var(--discovery);
    --tone-fill: var(--discovery-fill);
  }
  .widget [data-tone="success"] {
    --tone: var(--success);
    --tone-fill: var(--success-fill);
  }
  .widget :is([data-tone="warning"], [data-tone="caution"]) {
    --tone: var(--warning);
    --tone-fill: var(--warning-fill);
  }
  .widget [data-tone="danger"] {
    --tone: var(--danger);
    --tone-fill: var(--danger-fill);
  }
  .w-badge,
  .w-button {
    border: 1px solid transparent;
    background: none;
    color: var(--tone);
    font-weight: 500;
  }
  .w-badge {
    padding: 0.125em 0.5em;
    overflow: hidden;
    border-radius: 0.4em;
    line-height: 1.5;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  :is(.w-badge, .w-button)[data-variant="soft"] {
    background: var(--tone-fill);
  }
  :is(.w-badge, .w-button)[data-variant="outline"] {
    border-color: color-mix(in srgb, var(--tone) 15%, var(--line));
  }
  :is(.w-badge, .w-button)[data-variant="solid"] {
    background: var(--solid);
    color: var(--on-solid);
  }
  .w-table {
    overflow-x: auto;
    scrollbar-width: thin;
  }
  .w-table table {
    inline-size: 100%;
    border-collapse: collapse;
  }
  .w-table :is(th, td) {
    padding: 0.5em 0.75em;
    text-align: start;
  }
  .w-table tr + tr > td {
    border-block-start: 1px solid var(--line);
  }
  .w-table th .w-text {
    color: var(--muted);
  }
  .w-table :is(th, td):first-child {
    padding-inline-start: max(0px, 1em - var(--flush-inline));
  }
  .w-table :is(th, td):last-child {
    padding-inline-end: max(0px, 1em - var(--flush-inline));
  }
  .w-table .w-text {
    overflow-wrap: break-word;
  }
  .w-table [data-align="center"] {
    text-align: center;
  }
  .w-table [data-align="end"] {
    text-align: end;
  }
  .w-table [data-align="end"] > .w-text {
    white-space: nowrap;
  }
`;
