import { strict as assert } from 'node:assert'
import type { HostPath } from '../../src/domain/brand.ts'
import { openRemotes } from '../../src/worktree/remote/open.ts'

// A program of its own, run by remote-kill.test.ts and killed while it clones. Arguments: a data folder, and a URL.

const [data = '', url = ''] = process.argv.slice(2)
const remotes = openRemotes({
  data: data as HostPath,
  author: { name: 'Cofferdam', email: 'cofferdam@localhost' },
  remotes: [
    {
      name: 'shop',
      url,
      login: null,
      ssh: null,
      away: 'wait',
      fetchMs: 60_000,
      cloneMs: 60_000,
      mostMb: 100,
    },
  ],
})
await remotes.refresh('shop', 'whole')
assert.fail('it has come to its end')
