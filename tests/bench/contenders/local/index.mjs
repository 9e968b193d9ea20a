// The contenders of the in-process scenarios.
const contender = (name, file) => ({ name, module: import.meta.resolve(`./${file}.mjs`) });

export const graphqlSubscriptions = contender('graphql-subscriptions, `for await`', 'graphql-subscriptions');

export const locals = [
  graphqlSubscriptions,
  contender('node `events.on`, `for await`', 'events-on'),
  contender('rxjs ReplaySubject, listener', 'rxjs-replay'),
  contender('eventemitter3, listener', 'eventemitter3'),
  contender('fenceline, `for await`', 'fenceline'),
  contender('fenceline, `forEach()`', 'fenceline-for-each'),
  contender('fenceline, `poll()`', 'fenceline-poll'),
];
