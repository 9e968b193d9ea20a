import { describe, expect, it } from 'vitest';

import { objectName, objectOf, StatePart } from '../../../src/core/batch/state-part.ts';
import { encodedEvent } from '../event-fixtures.ts';

const a = { topic: 'Job', namespace: 'default', key: 'a' };
const removedText = '"Removed":[{"Topic":"Job","Namespace":"default","Key":"a"}]';

describe('what a reader of the state gets of a batch', () => {
  const event = encodedEvent({ key: 'b' }, 7);

  it.each([
    ['events', 0, [], `{"Index":7,"Events":[${event.json}]}`],
    ['events and what was removed', 0, [a], `{"Index":7,"Events":[${event.json}],${removedText}}`],
    ['events of a batch that was appended', 2, [], `{"Index":7,"Events":[${event.json}],"Appended":2}`],
    ['all of that', 2, [a], `{"Index":7,"Events":[${event.json}],"Appended":2,${removedText}}`],
  ])('stands in its line: %s', (_, appended, removed, line) => {
    const part = new StatePart({ index: 7, position: 9, appended }, [event], removed);
    expect(part.line).toBe(`${line}\n`);
    expect(part).toMatchObject({ index: 7, position: 9, kind: 'part' });
  });

  it('names in process what was removed, only where something was, and is one frozen object', () => {
    const origin = { index: 7, position: 7, appended: 0 };
    const part = new StatePart(origin, [event], [a]);
    expect(part.batch).toEqual({ index: 7, events: [event.event], removed: [a] });
    expect(part.batch).toBe(part.batch);
    expect(Object.isFrozen(part.batch)).toBe(true);
    expect(new StatePart(origin, [event], []).batch).toStrictEqual({ index: 7, events: [event.event] });
  });
});

describe('the object that an event is about', () => {
  it('is frozen, and nothing more than its name', () => {
    const object = objectOf(encodedEvent({ key: 'a' }));
    expect(object).toStrictEqual(a);
    expect(Object.isFrozen(object)).toBe(true);
  });

  it('has one text, and no other object has that: records are kept by it', () => {
    expect(objectName(a)).toBe('["Job","default","a"]');
    const others = [
      { ...a, topic: 'Job","default' },
      { ...a, namespace: '' },
      { ...a, key: '","a' },
    ];
    expect(new Set([a, ...others].map(objectName)).size).toBe(4);
  });
});
