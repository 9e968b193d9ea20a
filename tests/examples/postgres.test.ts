import { afterEach, expect, it } from 'vitest';
import { describeWithAnyPostgres, postgresForAll } from '../servers/postgres-server.ts';
import { RunningExample } from './run-example.ts';

const running: RunningExample[] = [];
afterEach(() => running.splice(0).forEach((example) => example.kill()));

describeWithAnyPostgres('an example that publishes in its own transaction', () => {
  const server = postgresForAll();

  it.each(['20-postgres-transaction', '21-prisma-transaction', '22-drizzle-transaction', '23-kysely-transaction'])(
    '%s publishes what is committed, and nothing of what is rolled back, without a hole',
    async (name) => {
      const { host, port, user, password = '', database } = server().config;
      const url = `postgres://${user}:${encodeURIComponent(String(password))}@${host}:${port}/${database}`;
      const example = new RunningExample(name, [], { POSTGRES_URL: url });
      running.push(example);
      expect(await example.ended(), example.output).toBe(0);
      const [, first, third] = /^the second was rolled back\nevent (\d+): first-\S+\nevent (\d+): third-\S+$/.exec(
        example.output,
      )!;
      expect(Number(third)).toBe(Number(first) + 1);
    },
  );
});
