import { describe, expect, it } from 'vitest';
import { defineTopics, EventBroker } from 'fenceline';

const event = { topic: 'Job', type: 'Made', key: 'a', payload: 1 };
// As plain JavaScript would pass them.
const any = (options: object) => options as never;

describe('a misspelt option', () => {
  it.each<[string, () => unknown, string]>([
    ['acls', () => new EventBroker(any({ acls: {} })), 'acl'],
    ['buffers', () => new EventBroker(any({ buffers: {} })), 'buffer'],
    ['maxbatches', () => new EventBroker({ buffer: any({ maxbatches: 1 }) }), 'maxBatches'],
    ['maxshare', () => new EventBroker({ flush: any({ maxshare: 1 }) }), 'maxShare'],
    ['subscription', () => new EventBroker({ limits: any({ subscription: 1 }) }), 'subscriptions'],
    ['require', () => defineTopics({ Job: any({ require: 'anyone' }) }), 'requires'],
  ])('%s is refused at once, with the one that is meant', (name, make, meant) => {
    expect(make).toThrow(TypeError);
    expect(make).toThrow(`no option "${name}". Did you mean "${meant}"?`);
  });

  it.each<[string, (broker: EventBroker) => Promise<unknown>, string]>([
    ['topic', (broker) => broker.subscribe(any({ topic: ['Job'] })), 'topics'],
    ['namespaces', (broker) => broker.subscribe(any({ namespaces: 'a' })), 'namespace'],
    ['onGaps', (broker) => broker.subscribe(any({ onGaps: 'fail' })), 'onGap'],
    ['expectIndex', (broker) => broker.publish(event, any({ expectIndex: 1 })), 'expectedIndex'],
    ['topic', (broker) => broker.explain(any({ topic: ['Job'] })), 'topics'],
  ])('%s changes nothing, and names the one that is meant', async (name, call, meant) => {
    const broker = new EventBroker();
    await expect(call(broker)).rejects.toThrow(`no option "${name}". Did you mean "${meant}"?`);
    expect(broker.stats()).toMatchObject({ subscriptions: 0, latestIndex: 0 });
  });
});

describe('a value that cannot be meant', () => {
  it.each([[{ resolv: () => undefined }], ['acl'], [null]])('%j is no acl', (acl) => {
    expect(() => new EventBroker({ acl: acl as never })).toThrow(/^acl must be an AclResolver/);
  });

  it('is none of the two words of publishWhenDown', () => {
    expect(() => new EventBroker({ publishWhenDown: 'hold' as never })).toThrow(/'fail' or 'wait'; got "hold"/);
  });

  it.each([[{ namspace: 'read' }], [{ namespace: '' }], [{ node: 'read', operator: 'read' }], ['admin'], [{}]])(
    '%j is no rule that could ever be met',
    (requires) => {
      expect(() => defineTopics({ Job: { requires: requires as never } })).toThrow(/^Topic "Job": requires must be/);
    },
  );

  it('is no kind of object that a topic could change', () => {
    expect(() => defineTopics({ Job: { aclChange: 'user' as never } })).toThrow(
      /'token', 'policy' or 'role'; got "user"/,
    );
  });

  it('is no commit', async () => {
    await expect(new EventBroker().publish(event, { commit: 7 as never })).rejects.toThrow(/commit must be a function/);
  });
});
