import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { type Config, loadConfig } from '../../src/config/load.ts'
import { around, scratch } from './support.ts'

/** A configuration in `~/c.yaml`, with `~/shop` for a repository and `~/link` that leads there. */
function loaded(text: string): { home: string; config: () => Config } {
  const home = scratch()
  mkdirSync(join(home, 'shop'))
  symlinkSync('shop', join(home, 'link'))
  writeFileSync(join(home, 'c.yaml'), text)
  return { home, config: () => loadConfig({ config: 'c.yaml' }, around(home)) }
}

it('names agents and Dockerfiles, seen from the folder of the configuration', () => {
  const { home, config } = loaded(
    'image: { agents: [claude, pi], dockerfile: box/Dockerfile }\n' +
      'repositories: { ~/link: { image: { dockerfile: ~/box/shop/Dockerfile } }, ~/other: {} }\n',
  )
  expect(config().image).toEqual({
    agents: ['claude', 'pi'],
    dockerfile: join(home, 'box/Dockerfile'),
    repositories: { [join(home, 'shop')]: join(home, 'box/shop/Dockerfile') },
  })
})

it('has no agents and no Dockerfile where nothing is said', () => {
  expect(loaded('').config().image).toEqual({ agents: [], dockerfile: null, repositories: {} })
})

it.each([
  ['image: { agents: [clod] }', 'An agent of the image is one of claude, codex, gemini, opencode, pi.'],
  ['repositories: { ~/shop: { image: { dockerfile: ~/shop/Dockerfile } } }', '/shop lie in one another'],
  ['repositories: { ~/shop: { image: { dockerfile: link/sub/Dockerfile } } }', '/shop lie in one another'],
  ['repositories: { ~/shop: {} }\nimage: { dockerfile: shop/Dockerfile }', '/shop lie in one another'],
  ['repositories: { ~/shop: {} }\nimage: { dockerfile: Dockerfile }', ' lie in one another'],
  ['data: w\nimage: { dockerfile: Dockerfile }', '/w lie in one another'],
  ['data: w\nimage: { dockerfile: w/tasks/Dockerfile }', '/w lie in one another'],
])('refuses %j', (text, said) => {
  expect(loaded(text).config).toThrow(said)
})
