import { keepNewest } from '../model/keep-newest.ts';
import type { UnreadablePolicy } from './explain.ts';

/** So many names are remembered; past it the oldest is told again. */
const MAX_REMEMBERED = 1000;

/**
 * Tells of policies that cannot be read: each once, and again when it fails in another way. A listener that throws
 * harms nobody.
 */
export class UnreadablePolicies {
  readonly #listeners = new Set<(notice: UnreadablePolicy) => void>();
  readonly #told = new Map<string, string>();

  listen(tell: (notice: UnreadablePolicy) => void): () => void {
    this.#listeners.add(tell);
    // Who comes later has not heard of those that were found before.
    this.#told.clear();
    return () => void this.#listeners.delete(tell);
  }

  found(notices: readonly UnreadablePolicy[]): void {
    for (const notice of notices) if (this.#isNews(notice)) this.#tell(notice);
  }

  #isNews({ policy, error }: UnreadablePolicy): boolean {
    if (this.#told.get(policy) === error.message) return false;
    this.#told.set(policy, error.message);
    keepNewest(this.#told, MAX_REMEMBERED);
    return true;
  }

  #tell(notice: UnreadablePolicy): void {
    for (const listener of this.#listeners) {
      try {
        listener(notice);
      } catch {
        // It is the host's own: the others, and the look-up under way, go on.
      }
    }
  }
}
