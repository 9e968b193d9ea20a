import { ReplaySubject } from 'rxjs';

export function create({ onEvent }) {
  const subject = new ReplaySubject(4096);
  subject.subscribe(onEvent);
  return { publish: (event) => subject.next(event) };
}
