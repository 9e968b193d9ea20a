import type { Event, NewEvent } from './event.ts';
import type { StandardSchema } from './standard-schema.ts';

/** Types of a set of topics: name → payload, or {@link PayloadsByType} where one type does not say it all. */
export type TopicMap = Readonly<Record<string, unknown>>;

/** In a topic's definition: event type → the type of its payload, by `payloadOf` or a schema. */
export type PayloadTypes = Readonly<Record<string, unknown>>;

/**
 * In a {@link TopicMap}: the payloads of a topic whose event types have one each, or that has a schema. `Output` is what
 * readers get, `Input` what is published; each by event type.
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

/**
 * What JSON makes of a value, and so what readers get of a schema's output: a `Date` is its text, and so is all else
 * that has a `toJSON`.
 */
export type JsonOf<T> =
  IsAny<T> extends true
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
 * Joined from the topics one by one. As one mapped type over the parameters it would keep them, and the compiler would
 * put off what is asked of it, as `Awaited<ReturnType<…>>['events']`.
 */
export type DefinedPayloads<P, Y, A> = AsTopicMap<
  Joined<
    {
      [K in keyof P & keyof Y & keyof A & string]: A[K] extends string ? never : OneTopic<K, PayloadsOf<P[K], Y[K]>>;
    }[keyof P & keyof Y & keyof A & string]
  >
>;

/** One topic, and the type of its payload. */
export type OneTopic<Topic extends string, Payload> = { readonly [K in Topic]: Payload };

/** The intersection of a union's members. */
type Joined<U> = (U extends unknown ? (one: U) => void : never) extends (all: infer All) => void ? All : never;

type AsTopicMap<T> = T extends TopicMap ? T : TopicMap;

/** What a topic's own rules are handed: its events, by what its definition says under `payload` and `types`. */
export type DefinedEvent<P, Y> = EventOfTopic<string, PayloadsOf<P, Y>>;

/** The same before it has an index, each type of event by itself, so that it narrows. */
export type DefinedUnindexedEvent<P, Y> = WithoutIndex<DefinedEvent<P, Y>>;

type WithoutIndex<E> = E extends Event ? Omit<E, 'index'> : never;

type EventOfTopic<Topic extends string, Payload> =
  Payloads<Payload> extends PayloadsByType<infer Output>
    ? { [Type in keyof Output & string]: Event<Topic, Output[Type], Type> }[keyof Output & string]
    : Event<Topic, Payload>;

type NewEventOfTopic<Topic extends string, Payload> =
  Payloads<Payload> extends PayloadsByType<unknown, infer Input>
    ? { [Type in keyof Input & string]: NewEvent<Topic, Input[Type], Type> }[keyof Input & string]
    : NewEvent<Topic, Payload>;

/** The payload, if it is one by type: `any` and `never` would pass for each. */
type Payloads<Payload> = IsAny<Payload> extends true ? unknown : [Payload] extends [never] ? unknown : Payload;

type PayloadsOf<P, Y> = Y extends readonly unknown[]
  ? PayloadsOfAll<P>
  : Y extends PayloadTypes
    ? PayloadsByType<{ readonly [T in keyof Y]: OutputOf<Y[T]> }, { readonly [T in keyof Y]: InputOf<Y[T]> }>
    : PayloadsOfAll<P>;

/** One payload for all types of event. */
type PayloadsOfAll<P> =
  Payloads<P> extends StandardSchema<unknown, unknown>
    ? PayloadsByType<{ readonly [type: string]: OutputOf<P> }, { readonly [type: string]: InputOf<P> }>
    : P;

type OutputOf<P> =
  Payloads<P> extends infer S extends StandardSchema<unknown, unknown> ? JsonOf<TypesOf<S>['output']> : P;

type InputOf<P> = Payloads<P> extends infer S extends StandardSchema<unknown, unknown> ? TypesOf<S>['input'] : P;

type TypesOf<S extends StandardSchema<unknown, unknown>> = NonNullable<S['~standard']['types']>;

type IsAny<T> = 0 extends 1 & T ? true : false;
