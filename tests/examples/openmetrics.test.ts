import { describe, expect, it } from 'vitest';
import { parseOpenMetrics } from './openmetrics.ts';

const family = (type: string, ...samples: readonly string[]): string =>
  ['# HELP a_b Help.', `# TYPE a_b ${type}`, ...samples, '# EOF', ''].join('\n');

describe('the parser of OpenMetrics', () => {
  it('reads families with their samples', () => {
    const text = family('counter', 'a_b_total{code="x\\"y",z="1"} 2', 'a_b_total 3e2');
    expect(parseOpenMetrics(text).get('a_b')).toEqual({
      name: 'a_b',
      type: 'counter',
      help: 'Help.',
      unit: '',
      samples: [
        { name: 'a_b_total', labels: { code: 'x\\"y', z: '1' }, value: 2 },
        { name: 'a_b_total', labels: {}, value: 300 },
      ],
    });
  });

  it.each([
    ['no end', family('gauge', 'a_b 1').replace('# EOF\n', '')],
    ['a counter without _total', family('counter', 'a_b 1')],
    ['a negative counter', family('counter', 'a_b_total -1')],
    ['a type that there is not', family('dial', 'a_b 1')],
    ['a foreign sample', family('gauge', 'a_c 1')],
    ['a sample twice', family('gauge', 'a_b 1', 'a_b 2')],
    ['no number', family('gauge', 'a_b one')],
    ['a label without quotes', family('gauge', 'a_b{c=1} 1')],
    ['a label twice', family('gauge', 'a_b{c="1",c="2"} 1')],
    ['a comma at the end', family('gauge', 'a_b{c="1",} 1')],
    ['an empty line', family('gauge', '', 'a_b 1')],
    ['families in turns', `${family('gauge', 'a_b 1').replace('# EOF\n', '')}# TYPE c gauge\n# HELP a_b x\n# EOF\n`],
    ['no help', '# TYPE a_b gauge\na_b 1\n# EOF\n'],
    [
      'buckets that fall',
      family('histogram', 'a_b_bucket{le="1"} 2', 'a_b_bucket{le="+Inf"} 1', 'a_b_count 1', 'a_b_sum 1'),
    ],
    ['no bucket for all', family('histogram', 'a_b_bucket{le="1"} 1', 'a_b_count 1', 'a_b_sum 1')],
    ['no sum', family('histogram', 'a_b_bucket{le="+Inf"} 1', 'a_b_count 1')],
  ])('refuses %s', (_, text) => {
    expect(() => parseOpenMetrics(text)).toThrow(Error);
  });
});
