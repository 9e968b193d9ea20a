'use client';

import { useEffect, useState } from 'react';
import { streamEvents } from 'fenceline/client';

export default function Page() {
  const [key, setKey] = useState('nothing yet');
  useEffect(() => {
    const abort = new AbortController();
    void follow(abort.signal, setKey);
    return () => abort.abort();
  }, []);
  return <output>{key}</output>;
}

async function follow(signal, setKey) {
  for await (const { events } of streamEvents(new URL('/stream', location.href), { signal })) setKey(events[0].key);
}
