/**
 * A Nomad object as its HTTP API spells it. Each type below lists the members that an event's key, namespace and filter
 * keys come from, and a few that readers ask for most; all others pass through as they are.
 */
export interface NomadObject {
  readonly [member: string]: unknown;
}

/** What the constructors take: a Nomad object, or any type of the host's with at least the listed members. */
export type Given<T> = T | { readonly [Member in keyof T as string extends Member ? never : Member]: T[Member] };

export interface Job extends NomadObject {
  readonly ID: string;
  /** Default `default`. */
  readonly Namespace?: string;
  readonly Name?: string;
  readonly Type?: string;
  readonly Status?: string;
  readonly Version?: number;
}

export interface Allocation extends NomadObject {
  readonly ID: string;
  /** Default `default`. */
  readonly Namespace?: string;
  readonly Name?: string;
  readonly JobID?: string;
  readonly DeploymentID?: string;
  readonly NodeID?: string;
  readonly ClientStatus?: string;
  readonly DesiredStatus?: string;
  /** Null in every event: whoever needs the job reads the `Job` topic. */
  readonly Job?: Given<Job> | null;
}

/** What an `Allocation` event holds. */
export interface AllocationPayload {
  readonly Allocation: Allocation;
  /** Nomad from 2.0.3 on: the allocation was stopped since it ran too long. */
  readonly Timeout?: boolean;
  readonly TimeoutReason?: string;
}

export interface Deployment extends NomadObject {
  readonly ID: string;
  /** Default `default`. */
  readonly Namespace?: string;
  readonly JobID?: string;
  readonly Status?: string;
}

export interface Evaluation extends NomadObject {
  readonly ID: string;
  /** Default `default`. */
  readonly Namespace?: string;
  readonly JobID?: string;
  readonly DeploymentID?: string;
  readonly Status?: string;
  readonly TriggeredBy?: string;
}

export interface Node extends NomadObject {
  readonly ID: string;
  /** Empty in every event. */
  readonly SecretID?: string;
  readonly Name?: string;
  readonly Datacenter?: string;
  readonly Status?: string;
  readonly SchedulingEligibility?: string;
}

/** One registered instance of a service. */
export interface Service extends NomadObject {
  readonly ID: string;
  /** Default `default`. */
  readonly Namespace?: string;
  readonly ServiceName?: string;
  readonly JobID?: string;
  readonly AllocID?: string;
  readonly NodeID?: string;
  readonly Address?: string;
  readonly Port?: number;
}

export interface ACLToken extends NomadObject {
  readonly AccessorID: string;
  /** Empty in every event. */
  readonly SecretID?: string;
  readonly Name?: string;
  readonly Type?: string;
}

export interface ACLPolicy extends NomadObject {
  readonly Name: string;
  readonly Description?: string;
  readonly Rules?: string;
}

export interface ACLRole extends NomadObject {
  readonly ID: string;
  readonly Name?: string;
  readonly Description?: string;
}

export interface ACLAuthMethod extends NomadObject {
  readonly Name: string;
  readonly Type?: string;
}

export interface ACLBindingRule extends NomadObject {
  readonly ID: string;
  readonly AuthMethod?: string;
}

export interface NodePool extends NomadObject {
  readonly Name: string;
  readonly Description?: string;
}

/** A host volume or a CSI volume. */
export interface Volume extends NomadObject {
  readonly ID: string;
  /** Default `default`. */
  readonly Namespace?: string;
  readonly Name?: string;
  readonly PluginID?: string;
}

export interface CSIPlugin extends NomadObject {
  readonly ID: string;
  readonly Provider?: string;
}

/** What is known of a variable without its items. */
export interface VariableMetadata extends NomadObject {
  readonly Path: string;
  /** Default `default`. */
  readonly Namespace?: string;
}
