import type { EventBatch } from '../../model/event.ts';
import type { EventStream } from '../event-stream.ts';
import type { StreamState } from '../connection-state.ts';
import type { Position } from '../read-position.ts';
import { type LeaderMessage, toldState } from './tab-message.ts';

/**
 * Reads the stream for all tabs, as fast as it comes: a tab that cannot follow goes on by a connection of its own.
 */
export class Leader {
  readonly #id = `${Date.now()}-${Math.random()}`;
  readonly #stream: EventStream;
  readonly #tell: (message: LeaderMessage) => void;
  #number = 0;
  /** After the batch that was told last. That of the stream may be one batch further. */
  #position: Position;

  /** @param open with what is to be called when the stream's state changes */
  constructor(open: (onState: (state: StreamState) => void) => EventStream, tell: (message: LeaderMessage) => void) {
    this.#tell = tell;
    this.#stream = open(() => this.tellPlace());
    this.#position = this.#stream.position;
  }

  /** Until it is closed. @throws StreamError what cannot heal */
  async lead(): Promise<void> {
    this.tellPlace();
    for await (const batch of this.#stream) this.#tellBatch(batch);
  }

  tellPlace(): void {
    const { state, position } = this.#stream;
    if (state.name === 'closed') return;
    this.#tell({ kind: 'place', ...this.#told, position, state: toldState(state) });
  }

  /** Somebody sees the page, which this tab may not. */
  wake(): void {
    const { state } = this.#stream;
    if (state.name === 'waiting' && !state.reason.retryAfterMs) this.reconnect();
  }

  reconnect(): void {
    this.#stream.reconnect();
  }

  close(): void {
    this.#stream.close();
  }

  get #told() {
    return { leader: this.#id, number: this.#number, position: this.#position };
  }

  #tellBatch(batch: EventBatch): void {
    this.#number++;
    this.#position = this.#stream.position;
    this.#tell({ kind: 'batch', ...this.#told, batch });
  }
}
