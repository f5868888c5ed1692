import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { aRepository, git } from '../support/repository.ts'
import { openTestPlane, sh, type TestPlane } from '../support/plane.ts'

let plane: TestPlane
beforeAll(async () => {
  plane = await openTestPlane()
})
afterAll(() => plane.close())

it('setup runs again where what it left is no longer as it was', async () => {
  const repo = aRepository({ '.gitignore': 'deps/\n' })
  const blocked = await plane.run({
    repo,
    argv: sh(
      '[ -e seen ] || { echo x > seen; echo "BLOCK_REASON: wait"; echo "TASK_STATE: BLOCKED"; exit; }; cat deps/word > got',
    ),
    setup: 'mkdir deps && echo right > deps/word',
    yes: true,
  })
  expect([blocked.status, blocked.halt?.reason]).toEqual(['BLOCKED', 'agent'])
  rmSync(join(plane.config.dataFolder, 'setups', blocked.id, 'kept/deps/word'))
  await plane.client.act(blocked.id, { act: 'resume', instruction: null, budget: null })
  const task = await plane.settled(blocked.id)
  expect(task.status).toBe('APPLIED')
  expect(git(repo, 'show', `${task.branch}:got`)).toBe('right\n')
  const texts = (await plane.client.events(task.id, 0)).map(({ text }) => text)
  expect(texts.filter((text) => text.includes('setup runs again'))).toHaveLength(1)
})

it('files that a pattern allows are written in place, and nothing else is', async () => {
  const repo = aRepository({ 'README.md': 'old\n', 'docs/a.md': 'old\n', 'docs/b.txt': 'old\n' })
  const task = await plane.run({
    repo,
    argv: sh(`
      for path in README.md docs/a.md docs/b.txt docs/new.md; do
        (echo new > $path) 2>/dev/null && echo "wrote $path" || echo "refused $path"
      done
      echo more > /tmp/x; mv /tmp/x README.md 2>/dev/null && echo replaced || echo "not replaced"`),
    allow: ['*.md'],
  })
  expect((await plane.client.logs(task.id, 1)).trim().split('\n').slice(1)).toEqual([
    'wrote README.md',
    'wrote docs/a.md',
    'refused docs/b.txt',
    'refused docs/new.md',
    'not replaced',
  ])
  expect(task.status).toBe('APPLIED')
  const changed = git(repo, 'diff', '--name-only', 'HEAD', task.branch).trim().split('\n')
  expect(changed).toEqual(['README.md', 'docs/a.md'])
})

it('what setup has fetched is installed without a network by agent and test, who cannot write there', async () => {
  const app = { name: 'app', version: '1.0.0', dependencies: { library: '1.0.0' } }
  const repo = aRepository({
    'library/package.json': '{ "name": "library", "version": "1.0.0" }',
    'app/package.json': JSON.stringify(app),
    // As if a registry had been asked: npm finds a package again by the sum that a lock file has of it.
    'lock.js': `
      const sum = require('crypto').createHash('sha512').update(require('fs').readFileSync('/tmp/library-1.0.0.tgz'))
      const integrity = 'sha512-' + sum.digest('base64')
      const library = { version: '1.0.0', resolved: 'https://packages.test/library.tgz', integrity }
      const packages = { '': ${JSON.stringify(app)}, 'node_modules/library': library }
      console.log(JSON.stringify({ name: 'app', version: '1.0.0', lockfileVersion: 3, packages }))`,
  })
  const pack = 'npm pack --silent --pack-destination /tmp ./library >&2'
  const cache = '/cofferdam/cache/npm'
  const install = `
    cp -r app /tmp && cp lock /tmp/app/package-lock.json || exit
    (cd /tmp/app && npm ci --silent --cache ${cache} >&2) && echo has $(ls /tmp/app/node_modules)
    rm -rf ${cache}/_cacache; echo x > ${cache}/mine; echo cache $(ls ${cache})`
  const task = await plane.run({
    repo,
    setup: `${pack} && npm cache add /tmp/library-1.0.0.tgz`,
    // With its own cache, an agent packs as it always could.
    argv: sh(`${pack}; node lock.js > lock; (${install})`),
    test: `[ ! -e lock ] || { ${install}; }`,
    yes: true,
  })
  expect([task.status, task.outcome]).toEqual(['APPLIED', 'tested'])
  const said = (await plane.client.logs(task.id, 1)).match(/^(?:has|cache) .*$/gm)
  expect(said).toEqual(['has library', 'cache _cacache', 'has library', 'cache _cacache'])
})
