import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { HostPath } from '../../src/domain/brand.ts'
import { dockerEngine } from '../../src/sandbox/docker/engine.ts'
import { engineContract } from '../contract/engine.ts'
import { boxUser } from '../support/box.ts'
import { sandboxImage } from '../support/docker.ts'

engineContract('the Docker engine', async () => {
  const tag = await sandboxImage()
  const scratch = await mkdtemp(join(tmpdir(), 'cofferdam-scratch-'))
  return {
    open: (installation) =>
      dockerEngine({
        installation,
        user: boxUser,
        scratch: join(scratch, installation) as HostPath,
        runtimeFolder: join(scratch, 'r') as HostPath,
        image: () => ({ from: 'ours', tag, agents: [] }),
      }),
    async [Symbol.asyncDispose]() {
      await rm(scratch, { recursive: true })
    },
  }
})
