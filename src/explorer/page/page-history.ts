/// <reference lib="dom" />
import type { PageFilters } from './filters.ts';
import { filtersOf, fragmentOf } from './page-url.ts';

/** The page's own URL and the browser's history of it. */
export class PageHistory {
  /** @param onTravel the reader went back or forward, or wrote another fragment */
  constructor(onTravel: (filters: PageFilters) => void) {
    addEventListener('popstate', () => onTravel(this.filters));
  }

  get filters(): PageFilters {
    return filtersOf(location.hash);
  }

  /** A step that the reader can take back. */
  push(filters: PageFilters): void {
    const url = urlWith(filters);
    if (url === location.href) return;
    history.pushState(undefined, '', url);
  }

  /** Not a step: each letter that is typed would be one. */
  replace(filters: PageFilters): void {
    history.replaceState(undefined, '', urlWith(filters));
  }
}

function urlWith(filters: PageFilters): string {
  const url = new URL(location.href);
  url.hash = fragmentOf(filters);
  return url.href;
}
