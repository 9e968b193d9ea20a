import { elapsedOn, type Clock, type ClockTimer } from '../../model/clock.ts';

/** A transport whose stream has a longest life. */
export interface Rotating {
  /** Its life is over. */
  rotate(): void;
}

/** Streams that came together end up to a fifth of the longest life apart. */
const JITTER = 0.1;

/** Lives end in steps of a thousandth: streams that end in one step share its timer. */
const STEPS = 1000;

interface Step {
  readonly timer: ClockTimer;
  readonly streams: Set<Rotating>;
}

/**
 * Ends streams that have lived for `maxStreamMs`, each a tenth more or less: after a server was added behind a balancer
 * or came back, the streams that all went to the others are spread again by and by. Holds about a thousand timers at
 * most, however many streams there are.
 */
export class Rotation {
  readonly #clock: Clock;
  readonly #maxStreamMs: number;
  readonly #random: () => number;
  readonly #steps = new Map<number, Step>();

  /**
   * @param maxStreamMs Infinity for never
   * @param random from 0 up to 1
   */
  constructor(clock: Clock, maxStreamMs: number, random: () => number) {
    this.#clock = clock;
    this.#maxStreamMs = maxStreamMs;
    this.#random = random;
  }

  /** Its life begins. @returns what takes it out again; undefined where lives have no end */
  add(stream: Rotating): (() => void) | undefined {
    if (this.#maxStreamMs === Infinity) return undefined;
    const dueAt = this.#dueAt();
    const step = this.#steps.get(dueAt) ?? this.#begin(dueAt);
    step.streams.add(stream);
    return () => {
      if (step.streams.delete(stream) && step.streams.size === 0) this.#forget(dueAt, step);
    };
  }

  /** Rounded down to a step, and never earlier than the shortest life ends. */
  #dueAt(): number {
    const now = elapsedOn(this.#clock);
    const stepMs = this.#maxStreamMs / STEPS;
    const at = now + this.#maxStreamMs * (1 - JITTER + 2 * JITTER * this.#random());
    return Math.max(Math.floor(at / stepMs) * stepMs, now + this.#maxStreamMs * (1 - JITTER));
  }

  #begin(dueAt: number): Step {
    const timer = this.#clock.after(dueAt - elapsedOn(this.#clock), () => {
      this.#steps.delete(dueAt);
      for (const stream of step.streams) stream.rotate();
    });
    const step: Step = { timer, streams: new Set() };
    this.#steps.set(dueAt, step);
    return step;
  }

  #forget(dueAt: number, { timer }: Step): void {
    timer.cancel();
    this.#steps.delete(dueAt);
  }
}
