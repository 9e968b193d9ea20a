import { withPatience } from './patience.ts';

/** An endpoint has refused: what it said, for the reader. */
export class ReportRefusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** An endpoint that does not answer is given up on after so long, in ms. */
const PATIENCE_MS = 10_000;

/**
 * Asks once for a report as JSON.
 * @param token sent as a header of this request alone; `''` for none
 * @param signal ends the request when nobody waits for it any more
 * @throws ReportRefusal where the endpoint answers with an error; what `fetch` throws where it cannot be reached, or
 * has not answered in time
 */
export function readReport<R>(url: string, token: string, signal: AbortSignal): Promise<R> {
  return withPatience(PATIENCE_MS, signal, async (signal) => {
    const headers: Record<string, string> = token === '' ? {} : { 'X-Nomad-Token': token };
    const response = await fetch(url, { headers, signal, cache: 'no-store' });
    if (response.ok) return (await response.json()) as R;
    throw new ReportRefusal(response.status, refusalText(response.status, await response.text()));
  });
}

function refusalText(status: number, body: string): string {
  try {
    const { Error: error } = JSON.parse(body) as {
      readonly Error: { readonly Code: string; readonly Message: string };
    };
    return `${error.Code}: ${error.Message}`;
  } catch {
    return `The server answered with status ${status}.`;
  }
}
