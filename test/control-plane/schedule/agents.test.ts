import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { diagnoseClosed } from '../../../control-plane/errands.ts'
import { open } from '../../../control-plane/open.ts'
import { createClient } from '../../../src/client/client.ts'
import { thisProcess } from '../../../src/config/environment.ts'
import { type Config, loadConfig } from '../../../src/config/load.ts'
import type { Finding } from '../../../src/domain/control-plane.ts'
import { aRepository } from '../../support/repository.ts'

let folder: string
let repository: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-scheduled-'))
  mkdirSync(join(folder, 'data'), { mode: 0o700 })
  repository = aRepository()
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
  rmSync(repository, { recursive: true, force: true })
})

/** Without an engine: whoever works on tasks, nothing runs here. */
function configured(more: object): Config {
  const config = join(folder, 'cofferdam.yaml')
  // JSON is YAML too.
  writeFileSync(config, JSON.stringify({ engine: { socket: join(folder, 'none.sock') }, ...more }))
  return loadConfig({ data: join(folder, 'data'), config }, around())
}
const around = () => ({ ...thisProcess(), env: { ...process.env, COFFERDAM_RUNTIME: join(folder, 'run') } })

const nightly = (task: object = {}): object => ({
  schedules: { nightly: { cron: '30 2 * * *', task: { repository, goal: 'Format it', ...task } } },
})

const looked = (findings: readonly Finding[]): Finding | undefined =>
  findings.find(({ name }) => name === 'schedule nightly')

const closed = async (more: object): Promise<Finding | undefined> =>
  looked(await diagnoseClosed(configured(more), around()))

async function opened(more: object): Promise<Finding | undefined> {
  const plane = await open(configured(more), around(), {
    what: 'serve',
    attend: 'all',
    stderrLevel: 'silent',
  })
  if ('kind' in plane) throw new Error('it is held')
  await using served = plane
  return looked(await createClient((path, call) => served.fetch(path, call)).doctor())
}

const missing = {
  name: 'schedule nightly',
  state: 'problem',
  text: expect.stringMatching(
    /^No agent is named or configured for it, .+ such as agent: \{ name: claude \} under its task/,
  ),
}

describe.each([
  ['where no process answers', closed],
  ['in a server', opened],
])('doctor, %s, on a schedule of the configuration', (_, found) => {
  it('says that nobody works on its tasks', async () => {
    expect(await found(nightly())).toEqual(missing)
  })

  it('says who does, wherever that is named', async () => {
    const works = { name: 'schedule nightly', state: 'ok', text: `claude works on ${repository}` }
    const agent = { name: 'claude' }
    expect(await found(nightly({ agent }))).toEqual(works)
    expect(await found({ ...nightly(), task: { agent } })).toEqual(works)
    expect(await found({ ...nightly(), repositories: { [repository]: { agent } } })).toEqual(works)
  })
})

describe('doctor on a schedule of the configuration', () => {
  it('takes a repository for what git takes it for', async () => {
    const link = join(folder, 'link')
    symlinkSync(repository, link)
    const repositories = { [repository]: { agent: { name: 'pi' } } }
    expect(await closed({ ...nightly({ repository: link }), repositories })).toMatchObject({
      state: 'ok',
      text: `pi works on ${repository}`,
    })
  })

  it('does not ask for a repository by URL', async () => {
    const repositories = { shop: { url: 'https://git.example/shop.git', agent: { name: 'pi' } } }
    expect(await closed({ ...nightly({ repository: 'shop' }), repositories })).toMatchObject({
      state: 'ok',
      text: 'pi works on shop',
    })
    const bare = { shop: { url: 'https://git.example/shop.git' } }
    expect(await closed({ ...nightly({ repository: 'shop' }), repositories: bare })).toEqual(missing)
  })

  it.each([
    ['an agent that there is not', { agent: { name: 'cluade' } }, 'There is no agent "cluade"'],
    ['a branch that there is not', { ref: 'nothing' }, 'nothing'],
    ['a repository that there is not', { repository: '/nowhere' }, '/nowhere'],
  ])('names %s', async (_, task, text) => {
    expect(await closed(nightly(task))).toMatchObject({
      state: 'problem',
      text: expect.stringContaining(text),
    })
  })

  it('finds nothing of schedules where there are none', async () => {
    expect(await closed({})).toBeUndefined()
  })
})
