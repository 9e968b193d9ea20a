/** An open stream, as the operator's endpoint tells it. */
export interface StreamFacts {
  readonly accessorId?: string;
  readonly filter: string;
  readonly namespaces: readonly string[];
  readonly reads: string;
  readonly by: string;
  readonly state: string;
  readonly position: number;
  readonly lag: number;
  readonly since: number;
  readonly waitingBytes?: number;
}

/** What the operator's endpoint answers, as far as the page shows it. */
export interface OperatorReport {
  readonly stats: {
    readonly bufferedBatches: number;
    readonly bufferedBytes: number;
    readonly oldestIndex: number;
    readonly latestIndex: number;
    readonly ended: Readonly<Record<string, number>>;
    readonly log?: string;
  };
  readonly streams: number;
  readonly states: Readonly<Record<string, number>>;
  readonly waitingBytes: number;
  readonly shown: readonly StreamFacts[];
}
