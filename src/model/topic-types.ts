import type { Event, NewEvent } from './event.ts';
import type { StandardSchema } from './standard-schema.ts';

/** Types of a set of topics: name → payload, or {@link PayloadsByType} where one type does not say it all. */
export type TopicMap = Readonly<Record<string, unknown>>;

/** In a topic's definition: event type → the type of its payload, by `payloadOf` or a schema. */
export type PayloadTypes = Readonly<Record<string, unknown>>;

/**
 * In a {@link TopicMap}: the payloads of a topic whose event types have one each, or that has a schema. `Output` is
 * what readers get, `Input` what is published; each by event type.
 */
export interface PayloadsByType<Output = unknown, Input = unknown> {
  /** Carries the types; never has a value. */
  readonly '~payloads': { readonly output: Output; readonly input: Input };
}

/**
 * Events of a set of topics: a union whose `payload` narrows with `topic`, and with `type` where a topic says the
 * payload of each event type.
 */
export type EventOf<T extends TopicMap> = { [K in keyof T & string]: EventOfTopic<K, T[K]> }[keyof T & string];

/** Publishable events of a set of topics. */
export type NewEventOf<T extends TopicMap> = { [K in keyof T & string]: NewEventOfTopic<K, T[K]> }[keyof T & string];

/** Marks a payload's type in `defineTopics`: `Job: { payload: payloadOf<Job>() }`. Nothing is checked at run time. */
export function payloadOf<Payload>(): Payload {
  return undefined as Payload;
}

// Below, `0 extends 1 & T` asks whether T is `any`: that would else pass for whatever it is compared with.

/**
 * What JSON makes of a value, and so what readers get of a schema's output: a `Date` is its text, and so is all else
 * that has a `toJSON`.
 */
export type JsonOf<T> = 0 extends 1 & T
  ? T
  : T extends { toJSON(key: string): infer Json }
    ? Json
    : T extends string | number | boolean | null | undefined
      ? T
      : T extends object
        ? { [K in keyof T]: JsonOf<T[K]> }
        : T;

/**
 * The topics under which events are published, aliases left out, each with the type of its payload. From what
 * definitions say under `payload`, `types` and `aliasOf`.
 *
 * An intersection of the topics, which is what a union of functions takes. One mapped type over the parameters would
 * look better, but it keeps them, and the compiler then puts off what is asked of it, as
 * `Awaited<ReturnType<…>>['events']`.
 */
export type DefinedPayloads<P, Y, A> = {
  [K in keyof P & keyof Y & keyof A & string]: A[K] extends string
    ? never
    : (topic: OneTopic<K, DeclaredPayloads<P[K], Y[K]>>) => void;
}[keyof P & keyof Y & keyof A & string] extends (topics: infer All extends TopicMap) => void
  ? All
  : TopicMap;

/** One topic, and the type of its payload. */
export type OneTopic<Topic extends string, Payload> = { readonly [K in Topic]: Payload };

/** What a topic's own rules are handed: its events, by what its definition says under `payload` and `types`. */
export type DefinedEvent<P, Y> = EventOfTopic<string, DeclaredPayloads<P, Y>>;

/** The same before it has an index, each type of event by itself, so that it narrows. */
export type DefinedUnindexedEvent<P, Y> =
  DefinedEvent<P, Y> extends infer E ? (E extends Event ? Omit<E, 'index'> : never) : never;

/** Events of one topic. Its payload is a type, or {@link PayloadsByType}. */
export type EventOfTopic<Topic extends string, Payload> = 0 extends 1 & Payload
  ? Event<Topic, Payload>
  : [Payload] extends [PayloadsByType<infer Output>]
    ? { [Type in keyof Output & string]: Event<Topic, Output[Type], Type> }[keyof Output & string]
    : Event<Topic, Payload>;

/** Publishable events of one topic. */
export type NewEventOfTopic<Topic extends string, Payload> = 0 extends 1 & Payload
  ? NewEvent<Topic, Payload>
  : [Payload] extends [PayloadsByType<unknown, infer Input>]
    ? { [Type in keyof Input & string]: NewEvent<Topic, Input[Type], Type> }[keyof Input & string]
    : NewEvent<Topic, Payload>;

/**
 * What a definition says of its payloads, as it stands in a {@link TopicMap}: `P` is its `payload`, `Y` its `types`.
 */
export type DeclaredPayloads<P, Y> = Y extends PayloadTypes
  ? PayloadsByType<{ readonly [T in keyof Y]: SchemaOutput<Y[T]> }, { readonly [T in keyof Y]: SchemaInput<Y[T]> }>
  : 0 extends 1 & P
    ? P
    : [P] extends [StandardSchema<unknown, unknown>]
      ? PayloadsByType<{ readonly [type: string]: SchemaOutput<P> }, { readonly [type: string]: SchemaInput<P> }>
      : P;

/** What readers get: of a schema its output as JSON; any other type is itself. */
export type SchemaOutput<P> = 0 extends 1 & P
  ? P
  : P extends StandardSchema<unknown, unknown>
    ? JsonOf<NonNullable<P['~standard']['types']>['output']>
    : P;

/** What is published: of a schema its input; any other type is itself. */
export type SchemaInput<P> = 0 extends 1 & P
  ? P
  : P extends StandardSchema<unknown, unknown>
    ? NonNullable<P['~standard']['types']>['input']
    : P;
