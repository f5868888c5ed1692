import { readFileSync } from 'node:fs'

/** A process's resident memory, MB of a million bytes. */
export function residentMb(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  if (kib === undefined) throw new Error(`process ${pid} tells nothing about its memory`)
  return (Number(kib) * 1024) / 1e6
}
