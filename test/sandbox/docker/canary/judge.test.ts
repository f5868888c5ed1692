import { describe, expect, it } from 'vitest'
import {
  judge,
  missingAround,
  nameOf,
  linesOf,
  type CanaryLines,
} from '../../../../src/sandbox/docker/canary/judge.ts'
import { canaryRequest, triedBy, withScript } from '../../../../src/sandbox/docker/canary/request.ts'
import type { EngineHost } from '../../../../src/sandbox/docker/connect.ts'
import { compileBox } from '../../../../src/sandbox/spec.ts'

const spec = withScript(
  compileBox(
    canaryRequest({ installation: 'test', image: 'sha256:0', user: { uid: 1000, gid: 1000 }, fence: 1 }),
  ),
)
const host: EngineHost = {
  version: '28.3.0',
  runc: '1.3.3',
  cpus: 2,
  swapLimit: true,
  security: ['name=seccomp,profile=default', 'name=apparmor'],
  kernel: '6.12',
  rootFolder: '/var/lib/docker',
  socket: '/run/docker.sock',
  runtime: null,
}

/** What a canary tells where every wall stands. */
const walled: CanaryLines = {
  ...Object.fromEntries(
    ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map((name) => [name, '0'.repeat(16)]),
  ),
  NoNewPrivs: '1',
  Seccomp: '2',
  uid: '1000',
  interfaces: 'lo',
  routes: '0',
  'mount /': 'ro,relatime',
  ...Object.fromEntries(
    spec.mounts.map(({ target, readonly }) => [`mount ${target}`, readonly ? 'ro,relatime' : 'rw,relatime']),
  ),
  ...Object.fromEntries(
    ['/tmp', '/home/agent', '/run', '/var/tmp'].map((place) => [`mount ${place}`, 'rw,nosuid,nodev']),
  ),
  ...Object.fromEntries(triedBy(spec).map((place) => [`write ${place}`, 'refused'])),
  mask: 'empty',
  pin: 'held',
  worktree: 'written',
  channel: 'cofferdam',
  pids: '64',
  memory: '268435456',
}

describe('the walls of an engine are', () => {
  it('strong where every one stands, and the machine adds its own', () => {
    expect(judge(walled, spec, host)).toEqual({ level: 'strong', missing: [] })
  })

  it.each<[string, Partial<EngineHost>, RegExp]>([
    ['no security module', { security: ['name=seccomp'] }, /AppArmor/],
    ['swap without a limit', { swapLimit: false }, /swap/],
    ['an old runc', { runc: '1.1.5+ds1-1+deb12u1' }, /known escapes/],
    ['a runc before its fixes', { runc: '1.2.7' }, /known escapes/],
    ['a runc of the next line before its fixes', { runc: '1.3.2' }, /known escapes/],
  ])('standard with %s', (_what, around, missing) => {
    const found = judge(walled, spec, { ...host, ...around })
    expect(found.level).toBe('standard')
    expect(found.missing.join('\n')).toMatch(missing)
  })

  it.each<[string, CanaryLines, RegExp]>([
    ['capabilities', { CapEff: '00000000a80425fb' }, /CapEff/],
    ['capabilities in reach', { CapBnd: '0000000000000400' }, /CapBnd/],
    ['new privileges', { NoNewPrivs: '0' }, /NoNewPrivs/],
    ['no filter', { Seccomp: '0' }, /Seccomp/],
    ['root', { uid: '0' }, /user 0/],
    ['a network card', { interfaces: 'lo eth0' }, /network cards: lo eth0/],
    ['a route', { routes: '1' }, /routes/],
    ['a writable root', { 'mount /': 'rw,relatime' }, /root of a box/],
    ['a writable mask', { 'mount /work/config/secret.txt': 'rw' }, /secret\.txt is not mounted readonly/],
    ['a write that went through', { 'write /work/AGENTS.md': 'done' }, /write in \/work\/AGENTS\.md/],
    ['a write to the channel’s folder', { 'write /cofferdam/channel': 'done' }, /cofferdam\/channel/],
    ['a setuid /tmp', { 'mount /tmp': 'rw,nodev' }, /\/tmp takes setuid/],
    ['a secret that is seen', { mask: 'seen' }, /denied file/],
    ['a pin that moves', { pin: 'moved' }, /moved away/],
    ['a closed worktree', { worktree: 'closed' }, /cannot write in its worktree/],
    ['a channel that is mute', { channel: '' }, /gateway/],
    ['any number of processes', { pids: 'max' }, /processes is not limited/],
    ['any amount of memory', { memory: '9223372036854771712' }, /memory of a box/],
  ])('degraded with %s', (_what, change, missing) => {
    const found = judge({ ...walled, ...change }, spec, host)
    expect(found.level).toBe('degraded')
    expect(found.missing[0]).toMatch(missing)
  })

  it('degraded where the canary does not tell, whatever it is', () => {
    for (const name of Object.keys(walled).filter(
      (name) => !/^mount \/(?:work|work\/config|cofferdam\/git)$/.test(name),
    )) {
      const { [name]: _, ...less } = walled
      expect({ name, level: judge(less, spec, host).level }).toEqual({ name, level: 'degraded' })
    }
  })

  it('not judged by a filter or a module that a kernel of its own makes needless', () => {
    const own = { ...host, runtime: 'runsc', security: [] }
    expect(judge({ ...walled, Seccomp: '0' }, spec, own).level).toBe('strong')
  })
})

it('what a canary tells is read by lines, and a name may have "=" in it', () => {
  expect(linesOf('CapEff=00\nno line\nmount /a=b=rw,ro\n=x\nlast=')).toEqual({
    CapEff: '00',
    'mount /a=b': 'rw,ro',
    last: '',
  })
})

it('an engine is named with what runs its boxes', () => {
  expect(nameOf(host)).toBe('docker 28.3.0, runc 1.3.3')
  expect(nameOf({ ...host, runtime: 'runsc' })).toBe('docker 28.3.0, runsc')
  expect(missingAround({ ...host, runtime: 'crun', runc: '1.0.0' })).toEqual([])
})

describe('a runc with known escapes', () => {
  it.each([
    ['1.0.0-rc95', true],
    ['1.1.15', true],
    ['1.2.7', true],
    ['1.2.7+ds1-1', true],
    ['1.2.8', false],
    ['1.2.10', false],
    ['1.3.0', true],
    ['1.3.2', true],
    ['1.3.3', false],
    ['1.3.10-0ubuntu1', false],
    ['1.4.0-rc.2', true],
    ['1.4.0-rc.3', false],
    ['1.4.0', false],
    ['1.10.0', false],
    ['2.0.0', false],
    ['0.1.1', true],
  ])('%s: %s', (runc, old) => {
    expect(missingAround({ ...host, runc })).toEqual(
      old ? [`runc ${runc} has known escapes: 1.2.8, 1.3.3 or newer is advised`] : [],
    )
  })
})
