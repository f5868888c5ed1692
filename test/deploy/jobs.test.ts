import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const jobs = fileURLToPath(new URL('../../deploy/jobs.sh', import.meta.url))
let folder: string
let sourcing: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-jobs-'))
  sourcing = `logs=${folder}; source ${jobs}`
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('a long command', () => {
  const long = (command: string): { status: number | null; stdout: string } =>
    spawnSync('bash', ['-c', `${sourcing}; long 'the thing' ${command}`], { encoding: 'utf8' })

  it('is quiet where it succeeds, and keeps its output', () => {
    expect(long('echo done')).toMatchObject({ status: 0, stdout: '' })
    expect(readFileSync(join(folder, 'the-thing.log'), 'utf8')).toBe('done\n')
  })

  it('shows its end where it fails', () => {
    const { status, stdout } = long(`sh -c 'echo why; exit 3'`)
    expect(status).toBe(3)
    expect(stdout).toContain('    | why\n')
    expect(stdout).toContain('the thing failed (exit code 3)')
  })

  it.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)(
    'ends with all that it started when the script gets %s',
    async (signal) => {
      const child = spawn('bash', ['-c', `${sourcing}; long it sh -c 'sleep 60 & echo $$ $!; sleep 60'`])
      const log = join(folder, 'it.log')
      await expect
        .poll(() => existsSync(log) && readFileSync(log, 'utf8'), { timeout: 10_000 })
        .toMatch(/\d \d/)
      const pids = readFileSync(log, 'utf8').trim().split(' ')
      child.kill(signal)
      await once(child, 'exit')
      const alive = (pid: string): boolean => {
        try {
          return readFileSync(`/proc/${pid}/cmdline`, 'utf8') !== '' // a zombie's is empty
        } catch {
          return false
        }
      }
      await expect.poll(() => pids.filter(alive), { timeout: 5000 }).toEqual([])
    },
  )
})
