import { parseLastEventId, sseFormat } from '../../../src/adapters/sse-format.ts';
import { markText, parseMark } from '../../../src/core/backlog/state-mark.ts';
import { documented, requireEqual, require, type FuzzTarget } from '../target.ts';

/** An id of server-sent events, plain and of a state. */
export const lastEventId: FuzzTarget = {
  name: 'last-event-id',
  words: ['8b25e970-0059-49bb-8729-bc8cb7d1138f', ':812', '/1x8k2f', '/', ':'],
  tries: 3000,
  run(input) {
    const id = input.toString();
    for (const isState of [false, true]) {
      const place = documented(() => parseLastEventId(id, 'Header Last-Event-ID', isState), 'bad_request');
      if (place === undefined) continue;
      require(Number.isSafeInteger(place.index) && place.index > 0, `It resumes from ${place.index}.`);
      const epoch = place.mark === undefined ? place.epoch : `${place.epoch}/${place.mark}`;
      require(id.startsWith(`${epoch}:`), 'Its epoch is not what stands in the id.');
      requireEqual(
        parseLastEventId(`${epoch}:${place.index - 1}`, '', isState),
        place,
        'The place of an id that is written anew',
      );
      if (!/[\r\n\0]/.test(place.epoch)) writtenByServer(place.epoch, place.index - 1);
    }
  },
};

function writtenByServer(epoch: string, index: number): void {
  const text = sseFormat(epoch).heartbeat(index);
  const id = text.slice(text.indexOf('id: ') + 4).split('\n', 1)[0] ?? '';
  requireEqual(parseLastEventId(id), { epoch, index: index + 1 }, 'The id that the server writes of it');
}

export const stateMark: FuzzTarget = {
  name: 'state-mark',
  words: ['1x8k2f', '.790', '.', '0', 'zzzzzzzzzzz'],
  tries: 3000,
  run(input) {
    const text = input.toString();
    const mark = documented(() => parseMark(text), 'bad_request');
    if (mark !== undefined) requireEqual(parseMark(markText(mark)), mark, 'The mark that is written anew');
  },
};
