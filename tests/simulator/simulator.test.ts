import { describe, it } from 'vitest';
import { checkSeed } from './simulation.ts';

describe('the whole system', () => {
  it('x', async () => {
    const from = Number(process.env['SEED'] ?? 1);
    const count = Number(process.env['SEEDS'] ?? 20);
    const begun = performance.now();
    let ok=0, bad=0;
    const kinds = new Map<string,number>();
    for (let seed = from; seed < from + count; seed++) {
      try { await checkSeed(seed); ok++; } catch (e) { bad++; if (bad<=Number(process.env['SHOW'] ?? 3)) console.log(String((e as Error).message).slice(0,6000), process.env['STACK'] ? (e as any).cause?.stack : ''); }
    }
    console.log('ok', ok, 'bad', bad, (performance.now()-begun)/count, 'ms per seed');
  });
});
