// What the kernel tells of processes and of the machine (Linux; elsewhere zeros).
import { readFileSync, readdirSync } from 'node:fs';
import os from 'node:os';

/** CPU seconds of another process, all its living threads. */
export function cpuSecondsOf(pid) {
  const threads = readable(() => readdirSync(`/proc/${pid}/task`)) ?? [];
  return threads.reduce((sum, thread) => sum + threadSeconds(pid, thread), 0);
}

function threadSeconds(pid, thread) {
  const text = readable(() => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8')) ?? '0';
  return Number(text.split(' ')[0]) / 1e9;
}

/** Resident memory of another process, in bytes. */
export function residentBytesOf(pid) {
  const text = readable(() => readFileSync(`/proc/${pid}/status`, 'utf8')) ?? '';
  return Number(/VmRSS:\s+(\d+)/.exec(text)?.[1] ?? 0) * 1024;
}

/** CPU seconds that the whole machine has spent on anything. */
export function busySeconds() {
  const line = readable(() => readFileSync('/proc/stat', 'utf8'))?.split('\n')[0] ?? '';
  const [user = 0, nice = 0, system = 0, , , irq = 0, soft = 0] = line.trim().split(/\s+/).slice(1).map(Number);
  return (user + nice + system + irq + soft) / 100;
}

/** How many files a process may have open. */
export function openFileLimit() {
  const text = readable(() => readFileSync('/proc/self/limits', 'utf8')) ?? '';
  return Number(/Max open files\s+(\d+)/.exec(text)?.[1] ?? 1024);
}

export function describeMachine() {
  return {
    cpu: os.cpus()[0]?.model ?? 'unknown',
    cores: os.cpus().length,
    node: process.version,
    os: `${os.type()} ${os.release()}`,
  };
}

/** The process or the file is gone, or this is no Linux: nothing to tell. */
function readable(read) {
  try {
    return read();
  } catch {
    return undefined;
  }
}
