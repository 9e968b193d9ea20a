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

/** The endpoint has refused: what it said, for the reader. */
export class ReportRefusal extends Error {}

/**
 * Asks once.
 * @param token sent as a header of this request alone; `''` for none
 * @throws ReportRefusal where the endpoint answers with an error; what `fetch` throws where it cannot be reached
 */
export async function readReport(url: string, token: string, signal: AbortSignal): Promise<OperatorReport> {
  const headers: Record<string, string> = token === '' ? {} : { 'X-Nomad-Token': token };
  const response = await fetch(url, { headers, signal, cache: 'no-store' });
  if (response.ok) return (await response.json()) as OperatorReport;
  throw new ReportRefusal(refusalText(response.status, await response.text()));
}

function refusalText(status: number, body: string): string {
  if (status === 403) return 'Permission denied: this takes a management token.';
  try {
    const { Error: error } = JSON.parse(body) as {
      readonly Error: { readonly Code: string; readonly Message: string };
    };
    return `${error.Code}: ${error.Message}`;
  } catch {
    return `The server answered with status ${status}.`;
  }
}
