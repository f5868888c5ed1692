import { expect, test } from 'vitest'
import type { HostPath } from '../../src/domain/brand.ts'
import type { RemoteSettings } from '../../src/domain/remote.ts'
import { Secret } from '../../src/domain/secret.ts'
import { connectionTo } from '../../src/worktree/remote/connect.ts'
import { listingOf } from '../../src/worktree/remote/listing.ts'
import { progressIn } from '../../src/worktree/remote/progress.ts'
import { remoteFailure } from '../../src/worktree/remote/refusal.ts'

const https: RemoteSettings = {
  name: 'shop',
  url: 'https://git.example.com:8443/acme/shop.git',
  login: { user: 'git', password: new Secret('of shop', 'a-long-token'), from: 'the file token' },
  ssh: null,
  away: 'wait',
  fetchMs: 1000,
  cloneMs: 1000,
  mostMb: 1,
}
const ssh: RemoteSettings = {
  ...https,
  url: 'ssh://git@git.example.com/acme/shop.git',
  login: null,
  ssh: { key: '/k/key' as HostPath, knownHosts: '/k/hosts' as HostPath },
}
const id = 'a'.repeat(40)

test('a listing: branches and tags, and the own branch where it is one of them', () => {
  const out = (head: string): string =>
    `ref: ${head}\tHEAD\n${id}\tHEAD\n${id}\trefs/heads/main\n${id}\trefs/pull/1/head\n${id}\trefs/tags/v1\n${id}\trefs/tags/v1^{}\n`
  const { head, refs } = listingOf(out('refs/heads/main'))
  expect(head).toBe('main')
  expect([...refs.keys()]).toEqual(['refs/heads/main', 'refs/tags/v1'])
  expect(listingOf(out('refs/heads/gone')).head).toBeNull()
  expect(listingOf(out('../../config')).head).toBeNull()
  expect(listingOf('').refs.size).toBe(0)
})

test('progress: what is counted here, and not what the other side says', () => {
  const said = 'Receiving objects:  12% (1/9)\rReceiving objects:  45% (4/9), 1.50 MiB | 3.00 MiB/s\r'
  expect(progressIn(said)).toBe('Receiving objects: 45%')
  expect(progressIn('Resolving deltas: 100% (3/3), done.\n')).toBe('Resolving deltas: 100%')
  expect(progressIn('remote: Receiving objects: 99% (9/9)\n')).toBeNull()
})

test('a connection allows one protocol, and has secrets in the environment alone', () => {
  const { config, env } = connectionTo(https)
  expect(env).toMatchObject({ GIT_ALLOW_PROTOCOL: 'https', COFFERDAM_GIT_PASSWORD: 'a-long-token' })
  expect(config.map(([key]) => key)).toContain('credential.https://git.example.com:8443.helper')
  expect(config).toContainEqual(['http.followRedirects', 'false'])
  expect(JSON.stringify(config)).not.toContain('a-long-token')
  const bySsh = connectionTo(ssh)
  expect(bySsh.env['GIT_ALLOW_PROTOCOL']).toBe('ssh')
  expect(bySsh.env['GIT_SSH_COMMAND']).toMatch(
    /^ssh -F \/dev\/null -i \/k\/key .*StrictHostKeyChecking=yes -o UserKnownHostsFile=\/k\/hosts/,
  )
})

test.for([
  ['fatal: unable to access ...: Could not resolve host: git.example.com', 'remote', /does not answer \(/],
  [
    'fatal: unable to access ...: The requested URL returned error: 502',
    'remote',
    /does not answer as it should/,
  ],
  ['fatal: Authentication failed for ...', 'repository', /Renew what is in the file token/],
  [
    'fatal: unable to access ...: The requested URL returned error: 302',
    'repository',
    /Write the new address/,
  ],
  ["remote: Repository not found.\nfatal: repository 'x' not found", 'repository', /has no such repository/],
  [
    "error: dst refspec refs/heads/main matches more than one\nerror: failed to push some refs to 'x'",
    'repository',
    /has another branch or tag whose own name is refs\/heads\/main \(.*Remove or rename it there: in full it is refs\/heads\/refs\/heads\/main or /,
  ],
  ['fatal: write error: No space left on device', 'disk', /^The disk of the data folder is full\.$/],
  ['remote: you said a-long-token', 'remote', /^(?!.*a-long-token)/],
] as const)('%s', ([said, code, says]) => {
  const failure = remoteFailure(https, said)
  expect(failure.code).toBe(code)
  expect(failure.message).toMatch(says)
})

test.for([
  [
    'Host key verification failed.\nfatal: Could not read from remote repository.',
    /not the host that its key is known of/,
  ],
  [
    'git@git.example.com: Permission denied (publickey).',
    /does not take the key .* Look at repositories\.shop\.ssh\.key\.$/,
  ],
] as const)('over ssh: %s', ([said, says]) => {
  expect(remoteFailure(ssh, said)).toMatchObject({
    code: 'repository',
    message: expect.stringMatching(says) as string,
  })
})
