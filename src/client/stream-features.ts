/** A part of the client. Each is exported under its own name, and has nothing to call. */
export interface StreamPart<Name extends string> {
  readonly part: Name;
}

/** What of the client not every page needs. A bundler leaves out what `streamEventsWith` is not given. */
export interface StreamFeatures {
  /**
   * Options that cannot be meant are refused with a `TypeError` that says what is allowed. Without it they do what they
   * do: for programs that a compiler has checked.
   */
  readonly checks?: StreamPart<'checks'>;
  /** Nomad's own servers, which name no epoch. Without it a stream of theirs ends with `not_supported`. */
  readonly nomad?: StreamPart<'nomad'>;
  /** Where a proxy holds ndjson back, server-sent events are asked for. */
  readonly serverSentEvents?: StreamPart<'serverSentEvents'>;
  /**
   * All streams with the same `signal` share one listener on it: Node warns of a leak from the eleventh listener on.
   * Without it each has its own, for which browsers do not care.
   */
  readonly signals?: StreamPart<'signals'>;
  /** The option `snapshot`. Without it, that option is refused. */
  readonly snapshots?: StreamPart<'snapshots'>;
  /** The options `state` and `mark`. Without it, `state` is refused. */
  readonly state?: StreamPart<'state'>;
  /** Asks at once when the machine wakes from sleep, the browser is back online, or the page is shown. */
  readonly wakeUps?: StreamPart<'wakeUps'>;
}
