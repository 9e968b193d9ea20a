import type { AclFinding } from './explain.ts';

const brand = Symbol.for('fenceline.AclDenial');

const texts: Readonly<Record<AclDenial['reason'], string>> = {
  unknown: 'The token is not known.',
  expired: 'The token has expired.',
  insufficient: 'The rights do not suffice.',
};

/**
 * Why somebody was refused: the cause of a `permission_denied`, for the host, never for the client. A host throws one
 * where it does not know somebody (`unknown`), or knows that their time is over (`expired`).
 */
export class AclDenial extends Error {
  override readonly name = 'AclDenial';
  readonly reason: 'unknown' | 'expired' | 'insufficient';
  /** Public name of the token, where there is one. */
  readonly accessorId: string | undefined;
  /** The need that is not met, and what answered it, where rights do not suffice. */
  readonly finding: AclFinding | undefined;

  constructor(reason: 'unknown' | 'expired' | 'insufficient', accessorId?: string, finding?: AclFinding) {
    super(finding === undefined ? texts[reason] : `${finding.topic} in ${finding.namespace}: ${finding.reason}`);
    this.reason = reason;
    this.accessorId = accessorId;
    this.finding = finding;
    Object.defineProperty(this, brand, { value: true });
  }

  static is(value: unknown): value is AclDenial {
    return typeof value === 'object' && value !== null && brand in value;
  }
}
