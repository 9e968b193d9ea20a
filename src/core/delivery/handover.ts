/** What a reader was handed: bytes to its transport, or a batch in process. */
export interface Handover {
  readonly bytes: number | undefined;
  readonly events: number | undefined;
}
