import { createHash } from 'node:crypto';

import type { PostgresRows, PostgresStatement } from './postgres-client.ts';

/** PostgreSQL's codes for a prepared statement that is not there, that is there already, or whose plan is outdated. */
const FORGOTTEN = new Set(['26000', '42P05', '0A000']);

interface Queryable {
  query(statement: string | PostgresStatement, values?: unknown[]): Promise<PostgresRows>;
}

/**
 * Statements that each connection parses and plans once: that is a quarter of what an append takes, and half of what a
 * short read does.
 *
 * A pooler in transaction mode may answer from a server that does not know them. Such an answer comes before anything
 * was done, so the statement is sent again as text, and all of them from then on.
 */
export class PreparedStatements {
  readonly #names = new Map<string, string>();
  #areKept = true;

  /** Not for statements within a transaction, which such an answer would end. */
  async run(client: Queryable, text: string, values: unknown[]): Promise<PostgresRows> {
    if (!this.#areKept) return client.query(text, values);
    try {
      return await client.query({ name: this.#nameOf(text), text, values });
    } catch (error) {
      if (!FORGOTTEN.has((error as { readonly code?: string } | null)?.code ?? '')) throw error;
      this.#areKept = false;
      return client.query(text, values);
    }
  }

  /** On a connection of the host's pool, other statements have names too: ours are what they say. */
  #nameOf(text: string): string {
    const known = this.#names.get(text);
    if (known !== undefined) return known;
    const name = `fenceline_${createHash('sha256').update(text).digest('hex').slice(0, 24)}`;
    this.#names.set(text, name);
    return name;
  }
}
