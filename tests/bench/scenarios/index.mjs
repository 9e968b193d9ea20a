// What `npm run bench` measures, in the order of the report.
import * as compression from './compression.mjs';
import * as copying from './copying.mjs';
import * as dispatch from './dispatch.mjs';
import * as fanout from './fanout.mjs';
import * as hostile from './hostile.mjs';
import * as idle from './idle.mjs';
import * as interests from './interests.mjs';
import * as latency from './latency.mjs';
import * as logs from './logs.mjs';
import * as native from './native.mjs';
import * as publishing from './publishing.mjs';
import * as replay from './replay.mjs';
import * as revocation from './revocation.mjs';
import * as rights from './rights.mjs';
import * as selective from './selective.mjs';
import * as stalled from './stalled.mjs';
import * as state from './state.mjs';

export const scenarios = {
  fanout,
  native,
  selective,
  latency,
  replay,
  stalled,
  idle,
  compression,
  publishing,
  copying,
  interests,
  dispatch,
  revocation,
  rights,
  state,
  logs,
  hostile,
};
