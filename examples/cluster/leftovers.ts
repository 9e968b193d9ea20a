import { nomadEvents, type NewNomadEvent, type NomadEvent } from 'fenceline/nomad';

/**
 * A cluster that starts anew on a log begins with nothing running; what the state still holds is that of the last run.
 * @returns the events that say so: each removes one object
 */
export function endOf(state: readonly NomadEvent[]): readonly NewNomadEvent[] {
  return state.flatMap((event): readonly NewNomadEvent[] => {
    switch (event.topic) {
      case 'Job':
        return [nomadEvents.jobDeregistered(event.payload.Job, { purge: true })];
      case 'Node':
        return [nomadEvents.nodeDeregistration(event.payload.Node)];
      case 'Allocation':
        return [nomadEvents.allocationUpdated({ ...event.payload.Allocation, ClientStatus: 'lost' })];
      case 'Deployment':
        return [nomadEvents.deploymentStatusUpdate({ ...event.payload.Deployment, Status: 'cancelled' })];
      case 'Evaluation':
        return [nomadEvents.evaluationUpdated({ ...event.payload.Evaluation, Status: 'canceled' })];
      case 'Service':
        return [nomadEvents.serviceDeregistration(event.payload.Service)];
      default:
        return [];
    }
  });
}
