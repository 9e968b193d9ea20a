/// <reference lib="dom" />
// The page of the tests, which is bundled with one version of React or another.
import { Activity, createElement as h, StrictMode } from 'react';
import { createRoot, hydrateRoot } from 'react-dom/client';

import { App, batches, type Shown } from './components.ts';

export interface TestPage {
  /** What is in the page's place for it when it was rendered on the server. */
  rendered?: Shown;
  batches: readonly string[];
  /** Renders in StrictMode what is given, in the place of what was there. */
  show(this: void, shown: Shown): void;
  /** The same within an `<Activity>`, which React 18 has not. */
  showActivity(this: void, mode: 'visible' | 'hidden', shown: Shown): void;
}

const page = globalThis as unknown as TestPage;
const container = document.querySelector('#root') as HTMLElement;
const strict = (shown: Shown) => h(StrictMode, null, h(App, shown));
const root = page.rendered ? hydrateRoot(container, strict(page.rendered)) : createRoot(container);
page.batches = batches;
page.show = (shown) => root.render(strict(shown));
page.showActivity = (mode, shown) => root.render(h(StrictMode, null, h(Activity, { mode, children: h(App, shown) })));
