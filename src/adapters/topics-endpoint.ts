import type { Acl } from '../acl/acl.ts';
import type { SubscribePin } from '../core/broker/pin.ts';
import type { ReadableTopic, ReadableTopicsOptions } from '../core/broker/readable-topics.ts';
import { describe } from '../model/describe.ts';
import { checkOptions, type OptionNames } from '../model/options.ts';
import { answerWithReport, type ReportRequest } from './report-endpoint.ts';
import { checkHostFunctions, saidByHost } from './stream-endpoint.ts';
import type { PlainAnswer } from './stream-response.ts';

/** As much of a broker as an endpoint that lists topics needs: one of any topics will do. */
export interface TopicsSource {
  readableTopics(options: ReadableTopicsOptions): Promise<readonly ReadableTopic[]>;
}

/** What an endpoint that lists topics takes: give it the functions that the stream is mounted with. */
export interface TopicsHandlerOptions<Request> {
  readonly broker: TopicsSource;
  /** As in `eventStreamHandler`: finds the token's secret in a request. */
  token?(request: Request): string | undefined | Promise<string | undefined>;
  /** As in `eventStreamHandler`: the rights of who sent a request. Not beside `token`. */
  acl?(request: Request): Acl | Promise<Acl>;
  /** As in `eventStreamHandler`: of what is pinned, the topics are listed alone. */
  pin?(request: Request): SubscribePin | undefined | Promise<SubscribePin | undefined>;
}

/** The declared topics of which somebody may see something, as JSON. */
export interface TopicsReport {
  readonly topics: readonly ReadableTopic[];
}

const knownOptions: OptionNames<TopicsHandlerOptions<never>> = { broker: true, token: true, acl: true, pin: true };

/**
 * @param where the mount's function, for the message
 * @throws TypeError for an option that is not known or out of its range
 */
export function checkTopicsHandler(options: TopicsHandlerOptions<never>, where: string): void {
  checkOptions(options, knownOptions, where);
  const { broker } = (options ?? {}) as Partial<typeof options>;
  if (typeof broker?.readableTopics !== 'function')
    throw new TypeError(`${where} needs a broker: { broker: new EventBroker() }; got ${describe(broker)}.`);
  checkHostFunctions(options, where);
}

/** Never throws: whatever fails is an answer. */
export function answerTopicsRequest<Own>(
  endpoint: TopicsHandlerOptions<Own>,
  request: ReportRequest<Own>,
): Promise<PlainAnswer> {
  return answerWithReport(request, async (): Promise<TopicsReport> => ({
    topics: await endpoint.broker.readableTopics(saidByHost(endpoint, request)),
  }));
}
