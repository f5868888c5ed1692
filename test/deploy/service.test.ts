import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (name: string): string => readFileSync(join(root, 'deploy', name), 'utf8')

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-unit-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** The unit as a file that can be looked at here, where nothing is linked. */
function unit(name: string): string {
  const file = join(folder, 'cofferdam.service')
  writeFileSync(file, read(name).replace(/(?<=^ExecStart=)\S+/m, process.execPath))
  return file
}

function analyzed(...args: readonly string[]): readonly [number | null, string, string] {
  const { status, stdout, stderr } = spawnSync('systemd-analyze', args, { encoding: 'utf8' })
  return [status, stderr, stdout]
}

const there = spawnSync('systemd-analyze', ['--version']).status === 0

describe.runIf(there).each([
  // Exposures from 0.0 to 10.0, in tenths. What is left of root's is the right to the files of others, homes and the network.
  ['cofferdam.service', 40],
  ['cofferdam-user.service', 87],
  ['cofferdam-backup.service', 22],
])('deploy/%s', (name, most) => {
  it('is a unit that systemd takes', () => {
    expect(analyzed('verify', unit(name))).toEqual([0, '', ''])
  })

  it('is closed as far as it is said to be', () => {
    const args = ['--offline=yes', '--no-pager', `--threshold=${most}`]
    const [status, error, found] = analyzed('security', ...args, unit(name))
    expect([status, error, /Overall exposure level for .*/.exec(found)?.[0]]).toEqual([
      0,
      '',
      expect.any(String),
    ])
  })
})

it.runIf(there)('deploy/cofferdam-backup.timer is one that systemd takes, for its service', () => {
  const timer = join(folder, 'cofferdam.timer')
  unit('cofferdam-backup.service')
  writeFileSync(timer, read('cofferdam-backup.timer'))
  expect(analyzed('verify', timer)).toEqual([0, '', ''])
})

it('root’s service and the container have the same capabilities', () => {
  const [, named = ''] = /^CapabilityBoundingSet=(.+)$/m.exec(read('cofferdam.service')) ?? []
  const service = named.split(' ').map((name) => name.replace(/^CAP_/, ''))
  const { services } = z
    .object({
      services: z.object({
        cofferdam: z.object({ cap_drop: z.array(z.string()), cap_add: z.array(z.string()) }),
      }),
    })
    .parse(parse(read('compose.yaml')))
  expect(services.cofferdam).toEqual({ cap_drop: ['ALL'], cap_add: service })
})
