import { EventEmitter } from 'eventemitter3';

interface Entry {
  readonly fn: (...args: unknown[]) => void;
  readonly context: unknown;
  readonly once: boolean;
}

/**
 * An emitter whose listeners cannot harm anybody: what one throws is counted and told to the listeners of `error`; the
 * publisher, the other listeners and the subscribers do not notice. eventemitter3 alone would stop at the first that
 * throws, and throw into its caller.
 */
export class Notifications<Events extends EventEmitter.ValidEventTypes> extends EventEmitter<Events> {
  #listenerErrors = 0;

  /** How often a listener has thrown. */
  get listenerErrors(): number {
    return this.#listenerErrors;
  }

  override emit<T extends EventEmitter.EventNames<Events>>(
    name: T,
    ...args: Parameters<EventEmitter.EventListener<Events, T>>
  ): boolean {
    const entries = this.#entries(name as string);
    for (const { fn, context, once } of entries) {
      if (once) this.removeListener(name, fn as EventEmitter.EventListener<Events, T>, context, true);
      this.#call(name as string, () => fn.apply(context, args));
    }
    return entries.length > 0;
  }

  #call(name: string, call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#listenerErrors++;
      if (name !== 'error')
        (this as unknown as Notifications<{ error: (error: unknown) => void }>).emit('error', error);
    }
  }

  /**
   * eventemitter3 keeps one entry or a list of them under each name; `listeners()` would not tell which are for once.
   */
  #entries(name: string): readonly Entry[] {
    const slot = (this as unknown as { readonly _events: Record<string, Entry | Entry[] | undefined> })._events[name];
    if (slot === undefined) return [];
    return Array.isArray(slot) ? [...slot] : [slot];
  }
}
