// A support agent sees a customer's orders while a ticket of that customer is open, and not one order longer.
// Run it: npm run example examples/19-support-agent.ts
import http, { type IncomingMessage } from 'node:http';
import { Acl, AclDenial, EventBroker } from 'fenceline';
import { eventStreamHandler } from 'fenceline/http';
import { serve } from './serving.ts';
import { rights, shopTopics, takeOrdersOf } from './shop.ts';

/** Whose tickets are open, by agent: rows of the ticket system. */
const tickets = new Map<string, Set<string>>([['dora', new Set(['acme'])]]);

/** The rights rest on the agent, and on each customer whose ticket is open: changes of both are heard. */
function aclOf(request: IncomingMessage): Acl {
  const agent = String(request.headers['x-agent']);
  const customers = tickets.get(agent);
  if (customers === undefined) throw new AclDenial('unknown', agent);
  const namespace = Object.fromEntries([...customers].map((name) => [name, { policy: 'read' }] as const));
  return Acl.fromRules([{ namespace }], { accessorId: agent, rights });
}

const broker = new EventBroker({ topics: shopTopics });
broker.on('revoked', ({ accessorId, error }) => console.log(`${accessorId}: ${error.code}`));
takeOrdersOf(broker);

const events = eventStreamHandler({ broker, acl: aclOf, pin: () => ({ scope: 'allowed' }) });

/**
 * `PUT /tickets/dora/beta` opens one, `DELETE /tickets/dora/beta` closes it. The row and its event are one step: up to
 * the event's index the agent sees what they might see before, from there on what they may see now.
 */
function changeTicket(method = 'GET', agent = '', customer = ''): Promise<number> {
  const type = method === 'PUT' ? 'TicketOpened' : 'TicketClosed';
  const commit = (): void => {
    const customers = tickets.get(agent) ?? new Set();
    if (method === 'PUT') customers.add(customer);
    else customers.delete(customer);
    tickets.set(agent, customers);
  };
  return broker.publish({ topic: 'Ticket', type, key: agent, payload: { customer } }, { commit });
}

const server = http.createServer((request, response) => {
  const [, what, agent, customer] = (request.url ?? '').split('/');
  if (what !== 'tickets') return void events(request, response);
  void changeTicket(request.method, agent, customer).then((index) => response.end(`from index ${index} on\n`));
});
console.log(`Stream as dora, and in another terminal open and close a ticket of another customer.
  curl -sN -H 'x-agent: dora' http://127.0.0.1:4646/events
  curl -X PUT http://127.0.0.1:4646/tickets/dora/beta
  curl -X DELETE http://127.0.0.1:4646/tickets/dora/beta
`);
serve(server, broker, '/events');
