import { describe, expect, it } from 'vitest'
import { hostPath } from '../../../src/config/places.ts'
import type { Engine } from '../../../src/domain/box.ts'
import type { ImageAgent } from '../../../src/domain/image.ts'
import { dockerEngine } from '../../../src/sandbox/docker/engine.ts'
import { imageTag } from '../../../src/sandbox/docker/image/agents.ts'
import type { ImagePlan } from '../../../src/sandbox/docker/image/find.ts'
import { answering, engine } from '../../support/docker-server.ts'

interface Has {
  readonly tag: string
  readonly id: string
  readonly created?: number
}

const ours = (...agents: readonly ImageAgent[]): ImagePlan => ({
  from: 'ours',
  tag: imageTag(agents),
  agents,
})
const theirs: ImagePlan = { from: 'tag', tag: 'mine:1' }
const own = (...agents: readonly ImageAgent[]): ImagePlan => ({ from: 'dockerfile', tag: 'own:1', agents })

/** Our engine, planning this image, on one that has these. */
async function having(plan: ImagePlan, images: readonly Has[]): Promise<Engine> {
  const answer = engine({ Version: '20.10', ApiVersion: '1.41' })
  const socketPath = await answering((request, response) => {
    const url = new URL(request.url ?? '', 'http://engine')
    if (!url.pathname.includes('/images/')) return answer(request, response)
    const json = (body: object): void =>
      void response.setHeader('Content-Type', 'application/json').end(JSON.stringify(body))
    if (url.pathname.endsWith('/images/json')) {
      const { reference } = JSON.parse(url.searchParams.get('filters') ?? '') as { reference: string[] }
      const fits = images.filter(({ tag }) => reference.includes(tag))
      return json(fits.map(({ id, created = 0 }) => ({ Id: id, Created: created })))
    }
    const found = images.find(({ tag }) => decodeURIComponent(url.pathname).includes(`/images/${tag}/`))
    if (found === undefined) response.writeHead(404).end('{"message":"No such image"}')
    else json({ Id: found.id })
  })
  const scratch = hostPath('/nowhere')
  return dockerEngine({
    runtimeFolder: scratch,
    socketPath,
    installation: 'test',
    user: { uid: 1, gid: 1 },
    scratch,
    image: () => plan,
  })
}

const core = { tag: imageTag(), id: 'sha256:core' }
const build = 'The sandbox image is not built yet: run `cofferdam image build`.'
const buildWith = 'No sandbox image of this version has claude: run `cofferdam image build --agents claude`.'

describe('an image that is missing says what helps (B21)', () => {
  it.each<[string, ImagePlan, readonly Has[], string | null, string]>([
    ['for a command', ours(), [], 'command', build],
    ['for anything', ours(), [], null, build],
    ['that is to have the agent', ours('claude'), [core], 'claude', build],
    ['with the agent', ours(), [core], 'claude', buildWith],
    [
      'with the agent of this version',
      ours(),
      [core, { tag: 'cofferdam/claude:1', id: 'old' }],
      'claude',
      buildWith,
    ],
    [
      "of somebody else's",
      theirs,
      [core],
      'claude',
      'The image mine:1 of engine.image is not on the engine: build or pull it, or remove the key.',
    ],
    [
      'of a Dockerfile, not built',
      own('claude'),
      [core, { tag: imageTag(['claude']), id: 'claude' }],
      'claude',
      'The image of your Dockerfile is not built yet, or that has changed: run `cofferdam image build`.',
    ],
    [
      'of a Dockerfile, without the agent',
      own('pi'),
      [
        { tag: 'own:1', id: 'own' },
        { tag: imageTag(['claude']), id: 'claude' },
      ],
      'claude',
      'The image of your Dockerfile is without claude: put "claude" into image.agents of the configuration, then run `cofferdam image build`.',
    ],
  ])('%s', async (_what, plan, images, agent, message) => {
    const asked = (await having(plan, images)).image({ agent, repository: null })
    await expect(asked).rejects.toMatchObject({ code: 'image', message })
  })
})

describe('the image of a box is', () => {
  const older = { tag: imageTag(['claude', 'pi']), id: 'sha256:older', created: 1 }
  const newer = { tag: imageTag(['claude']), id: 'sha256:newer', created: 2 }
  it.each<[string, ImagePlan, readonly Has[], string | null, string]>([
    ['the planned one that has the agent', ours('claude', 'pi'), [older, newer], 'claude', older.id],
    [
      'the newest that has it where the planned one has not',
      ours(),
      [core, older, newer],
      'claude',
      newer.id,
    ],
    ['one that has it where the planned one is not built', ours('claude', 'pi'), [newer], 'claude', newer.id],
    ['the planned one for a command', ours(), [core, newer], 'command', core.id],
    ['the planned one for anything', ours(), [core, newer], null, core.id],
    [
      "somebody else's, whatever is in it",
      theirs,
      [{ tag: 'mine:1', id: 'sha256:1' }, newer],
      'claude',
      'sha256:1',
    ],
    [
      'that of a Dockerfile',
      own('claude'),
      [{ tag: 'own:1', id: 'sha256:own' }, newer],
      'claude',
      'sha256:own',
    ],
  ])('%s', async (_what, plan, images, agent, id) => {
    expect(await (await having(plan, images)).image({ agent, repository: null })).toBe(id)
  })
})
