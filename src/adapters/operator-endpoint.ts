import type { ManagementCredentials } from '../core/broker/admission.ts';
import type { Acl } from '../acl/acl.ts';
import { describe } from '../model/describe.ts';
import { checkNumber, whole } from '../model/numbers.ts';
import { checkOptions, type OptionNames } from '../model/options.ts';
import { parseReportRequest, reportOf, type ReportSource } from './operator-report.ts';
import { answerWithReport, type ReportRequest } from './report-endpoint.ts';
import { checkHostFunctions, credentialOf } from './stream-endpoint.ts';
import type { PlainAnswer } from './stream-response.ts';

/** As much of a broker as an operator's endpoint needs: one of any topics will do. */
export interface OperatorSource extends ReportSource {
  requireManagement(credentials: ManagementCredentials): Promise<void>;
}

export interface OperatorHandlerOptions<Request> {
  readonly broker: OperatorSource;
  /** The most streams that one answer lists. Default 500; a thousand are about 250 KB. */
  readonly maxStreams?: number;
  /** As in `eventStreamHandler`: finds the token's secret in a request. */
  token?(request: Request): string | undefined | Promise<string | undefined>;
  /** As in `eventStreamHandler`: the rights of who sent a request. Not beside `token`. */
  acl?(request: Request): Acl | Promise<Acl>;
}

const knownOptions: OptionNames<OperatorHandlerOptions<never>> = {
  broker: true,
  maxStreams: true,
  token: true,
  acl: true,
};

/**
 * @param where the mount's function, for the message
 * @throws TypeError for an option that is not known or out of its range
 */
export function checkOperator(options: OperatorHandlerOptions<never>, where: string): void {
  checkOptions(options, knownOptions, where);
  const { broker, maxStreams = 1 } = (options ?? {}) as Partial<typeof options>;
  if (typeof broker?.requireManagement !== 'function')
    throw new TypeError(`${where} needs a broker: { broker: new EventBroker() }; got ${describe(broker)}.`);
  checkNumber('maxStreams', maxStreams, whole(1));
  checkHostFunctions(options, where);
}

/** Never throws: whatever fails is an answer. */
export function answerOperatorRequest<Own>(
  endpoint: OperatorHandlerOptions<Own>,
  request: ReportRequest<Own>,
): Promise<PlainAnswer> {
  const { broker, maxStreams = 500 } = endpoint;
  return answerWithReport(request, async () => {
    // Before the query is read: who may not see this is told nothing else.
    await broker.requireManagement(credentialOf(endpoint, request));
    return reportOf(broker, parseReportRequest(request.url, maxStreams));
  });
}
