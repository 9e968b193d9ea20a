// What `npm run bench` measures, in the order of the report.
import * as fanout from './fanout.mjs';
import * as idle from './idle.mjs';
import * as latency from './latency.mjs';
import * as replay from './replay.mjs';
import * as selective from './selective.mjs';
import * as stalled from './stalled.mjs';

export const scenarios = { fanout, selective, latency, replay, stalled, idle };
