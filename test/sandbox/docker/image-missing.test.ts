import { describe, expect, it } from 'vitest'
import { hostPath } from '../../../src/config/places.ts'
import type { Engine } from '../../../src/domain/box.ts'
import { dockerEngine } from '../../../src/sandbox/docker/engine.ts'
import { agentLabel } from '../../../src/sandbox/docker/image/agents.ts'
import type { ImagePlan } from '../../../src/sandbox/docker/image/find.ts'
import { answering, engine } from '../../support/docker-server.ts'

interface Has {
  readonly tag: string
  readonly id: string
  readonly created?: number
  readonly labels?: Readonly<Record<string, string>>
}

/** Our engine on one that has these images. */
async function having(from: ImagePlan['from'], images: readonly Has[]): Promise<Engine> {
  const answer = engine({ Version: '20.10', ApiVersion: '1.41' })
  const socketPath = await answering((request, response) => {
    const url = new URL(request.url ?? '', 'http://engine')
    if (!url.pathname.includes('/images/')) return answer(request, response)
    const json = (body: object): void =>
      void response.setHeader('Content-Type', 'application/json').end(JSON.stringify(body))
    if (url.pathname.endsWith('/images/json')) {
      const { label = [] } = JSON.parse(url.searchParams.get('filters') ?? '{}') as { label?: string[] }
      const fits = images.filter(({ labels = {} }) =>
        label.every((each) => Object.entries(labels).some((pair) => pair.join('=') === each)),
      )
      return json(fits.map(({ id, created = 0 }) => ({ Id: id, Created: created })))
    }
    const found = images.find(({ tag }) => decodeURIComponent(url.pathname).includes(`/images/${tag}/`))
    if (found === undefined) response.writeHead(404).end('{"message":"No such image"}')
    else json({ Id: found.id, Config: { Labels: found.labels ?? null } })
  })
  const scratch = hostPath('/nowhere')
  return dockerEngine({
    runtimeFolder: scratch,
    socketPath,
    installation: 'test',
    user: { uid: 1, gid: 1 },
    scratch,
    image: () => ({ tag: 'mine:1', from }),
  })
}

const { key, value } = agentLabel('claude')
const labels = { [key]: value }
const need = { agent: 'claude', repository: null }

describe('an image that is missing (B21)', () => {
  it.each([
    ['ours', 'The sandbox image is not built yet: run `cofferdam image build`.'],
    ['tag', 'The image mine:1 of engine.image is not on the engine: build or pull it, or remove the key.'],
    [
      'dockerfile',
      'The image of your Dockerfile is not built yet, or that has changed: run `cofferdam image build`.',
    ],
  ] as const)('%s says what helps', async (from, message) => {
    await expect((await having(from, [])).image()).rejects.toMatchObject({ code: 'image', message })
  })

  it.each<[string, ImagePlan['from'], readonly Has[], string]>([
    [
      'no image',
      'ours',
      [],
      'No sandbox image of this version has claude: run `cofferdam image build --agents claude`.',
    ],
    [
      'the core alone',
      'ours',
      [{ tag: 'mine:1', id: 'sha256:core' }],
      'No sandbox image of this version has claude: run `cofferdam image build --agents claude`.',
    ],
    [
      'another version of the agent',
      'ours',
      [
        { tag: 'mine:1', id: 'sha256:core' },
        { tag: 'cofferdam/claude:1', id: 'sha256:old', labels: { [key]: 'old' } },
      ],
      'No sandbox image of this version has claude: run `cofferdam image build --agents claude`.',
    ],
    [
      'an image of a Dockerfile that is without it, whatever others there are',
      'dockerfile',
      [
        { tag: 'mine:1', id: 'sha256:own' },
        { tag: 'cofferdam/claude:1', id: 'sha256:claude', labels },
      ],
      'The image of your Dockerfile is without claude: put "claude" into image.agents of the configuration, then run `cofferdam image build`.',
    ],
  ])('is told where the agent has %s', async (_what, from, images, message) => {
    await expect((await having(from, images)).image(need)).rejects.toMatchObject({ code: 'image', message })
  })
})

describe('the image for an agent', () => {
  it.each<[string, ImagePlan['from'], readonly Has[], string | null, string]>([
    [
      'the planned one that has it',
      'ours',
      [{ tag: 'mine:1', id: 'sha256:1', labels }],
      'claude',
      'sha256:1',
    ],
    [
      'the newest of others that have it',
      'ours',
      [
        { tag: 'mine:1', id: 'sha256:core' },
        { tag: 'cofferdam/claude:1', id: 'sha256:old', created: 1, labels },
        { tag: 'cofferdam/claude-pi:1', id: 'sha256:new', created: 2, labels },
      ],
      'claude',
      'sha256:new',
    ],
    [
      'one that has it where the planned one is not built',
      'ours',
      [{ tag: 'cofferdam/claude:1', id: 'sha256:claude', labels }],
      'claude',
      'sha256:claude',
    ],
    [
      'the planned one for a command',
      'ours',
      [{ tag: 'mine:1', id: 'sha256:core' }],
      'command',
      'sha256:core',
    ],
    ["somebody else's, whatever is in it", 'tag', [{ tag: 'mine:1', id: 'sha256:1' }], 'claude', 'sha256:1'],
  ])('is %s', async (_what, from, images, agent, id) => {
    expect(await (await having(from, images)).image({ agent, repository: null })).toBe(id)
  })
})
