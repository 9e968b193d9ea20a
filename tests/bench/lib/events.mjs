// Events of a fixed size on the wire. Every event's text holds MARK once, followed by 16 digits (microseconds of the
// monotonic clock, or zeros), so a receiver of any framing (ndjson, chunks, SSE, NATS) counts events by counting one
// byte.
export const MARK = '~';
export const STAMP_LENGTH = 16;

export const keyOf = (i) => `job-${String(i).padStart(6, '0')}`;

export const nowMicros = () => Number(process.hrtime.bigint() / 1000n);

/** `make(key, isStamped)`: a fresh event as a host publishes it, whose line (index of six digits) has `bytes` bytes. */
export function eventMaker(bytes) {
  const fields = fill(bytes);
  return (key, isStamped) => {
    const stamp = MARK + String(isStamped ? nowMicros() : 0).padStart(STAMP_LENGTH, '0');
    return { topic: 'Job', type: 'JobRegistered', key, namespace: 'default', payload: { stamp, ...fields } };
  };
}

/** The object that stands on the wire. */
export function wireBatch({ topic, type, key, namespace, payload }, index) {
  const event = {
    Topic: topic,
    Type: type,
    Key: key,
    Namespace: namespace,
    FilterKeys: null,
    Index: index,
    Payload: payload,
  };
  return { Index: index, Events: [event] };
}

/** Small nested fields of about 45 bytes, as real payloads have them, then one filler. */
function fill(bytes) {
  const fields = {};
  const missing = () => bytes - lineLength(fields);
  for (let i = 0; missing() > 60; i++) {
    const group = (fields[`Group${Math.floor(i / 8)}`] ??= {});
    group[`Field${i % 8}`] = [1_000_000 + i, `value-${i}-abcdefghij`, { ok: true, n: i }][i % 3];
  }
  const rest = missing() - ',"Fill":""'.length;
  if (rest >= 0) fields.Fill = 'x'.repeat(rest);
  return fields;
}

function lineLength(fields) {
  const payload = { stamp: MARK + '0'.repeat(STAMP_LENGTH), ...fields };
  const event = { topic: 'Job', type: 'JobRegistered', key: keyOf(0), namespace: 'default', payload };
  return JSON.stringify(wireBatch(event, 100_000)).length + 1;
}
