import { createHash } from 'node:crypto';
import { pageAssets } from './page-assets.js';

/** What the page talks to, on its own origin. */
export interface ExplorerUrls {
  readonly streamUrl: string;
  /** Undefined where there is no operator's view. */
  readonly operatorUrl?: string;
  /** Undefined where nothing lists the topics. */
  readonly topicsUrl?: string;
}

export interface PageSettings {
  readonly title: string;
  readonly urls: ExplorerUrls;
}

export interface ExplorerPage {
  readonly html: string;
  /** Its Content-Security-Policy: nothing runs or applies but this very script and style. */
  readonly policy: string;
}

/** Builds the page; cheap enough to do once per handler. */
export function explorerPage({ title, urls }: PageSettings): ExplorerPage {
  const { markup, style, script } = pageAssets;
  const parts: Readonly<Record<string, string>> = {
    title: escapeHtml(title),
    settings: `<script type="application/json" id="settings">${escapeJson(urls)}</script>`,
    style: `<style>${style}</style>`,
    script: `<script>${script}</script>`,
  };
  // A function, because `$` in a replacement text means something.
  const html = markup.replaceAll(/\{\{(\w+)\}\}/g, (whole, name: string) => parts[name] ?? whole);
  return { html, policy: policyFor(script, style) };
}

function policyFor(script: string, style: string): string {
  return [
    `default-src 'none'`,
    `script-src ${hashOf(script)}`,
    `style-src ${hashOf(style)}`,
    `img-src data:`,
    `connect-src 'self'`,
    `base-uri 'none'`,
    `form-action 'none'`,
    `frame-ancestors 'none'`,
  ].join('; ');
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

/** JSON that cannot end the element it stands in, nor open a comment. */
function escapeJson(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', String.raw`\u003c`);
}
