import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { parse } from 'yaml'

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (name: string): string => readFileSync(join(root, name), 'utf8')
const filesOf = (folder: string, end: RegExp): readonly string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => end.test(name))
    .map((name) => `${folder}/${name}`)

/** Names in backticks in the first column of the table with this heading. */
function namesIn(page: string, heading: string): readonly string[] {
  const [, table = ''] = new RegExp(`^\\| ${heading} +\\|.*\\n((?:\\|.*\\n)+)`, 'm').exec(read(page)) ?? []
  return table
    .split('\n')
    .flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([A-Z_]+)`/g)].map(([, name = '']) => name))
    .toSorted()
}

const once = (names: Iterable<string>): readonly string[] => [...new Set(names)].toSorted()
const matches = (files: readonly string[], pattern: RegExp): readonly string[] =>
  files.flatMap((file) => [...read(file).matchAll(pattern)].map(([, name = '']) => name))

it('docs/configuration.md has each variable that the program and its scripts read, and no other', () => {
  const sources = ['control-plane', 'src'].flatMap((folder) => filesOf(folder, /\.ts$/))
  // Read as such, in the places of secrets that are taken where none is named, and the token of a kind of forge.
  const byProgram = [
    ...matches(sources, /\benv\['([A-Z_]+)'\]/g),
    ...matches(sources, /\bxdg\(\w+, '([A-Z_]+)'\)/g),
    ...matches(filesOf('src/config', /\.ts$/), /\benv: '([A-Z_]+)'/g),
    ...matches(['src/config/delivery.ts'], /\btoken: '([A-Z_]+)'/g),
  ]
  const scripts = filesOf('deploy', /^[^/]+\.sh$/)
  // What bash itself has.
  const own = new Set(['BASH_SOURCE', 'SECONDS', 'HOME', 'PATH'])
  const byScripts = matches(scripts, /\$\{?([A-Z][A-Z_]+)/g).filter((name) => !own.has(name))
  expect(namesIn('docs/configuration.md', 'variable')).toEqual(once([...byProgram, ...byScripts]))
})

it('docs/deployment.md has each variable of deploy/compose.yaml, and no other', () => {
  const named = matches(['deploy/compose.yaml'], /\$\{([A-Z_]+):-/g)
  expect(namesIn('docs/deployment.md', 'variable of compose')).toEqual(once(named))
})

it('in the container every variable can be set: none but the folders has a value of its own there', () => {
  const { services } = parse(read('deploy/compose.yaml')) as {
    services: { cofferdam: { environment: object; env_file: readonly string[]; volumes: readonly string[] } }
  }
  const { environment, env_file, volumes } = services.cofferdam
  expect(Object.keys(environment)).toEqual(['COFFERDAM_DATA', 'COFFERDAM_RUNTIME'])
  const etc = '${COFFERDAM_ETC:-/etc/cofferdam}'
  expect(env_file).toEqual([`${etc}/environment`])
  // What a variable names by its path is in the same folder.
  expect(volumes).toContain(`${etc}:/etc/cofferdam:ro`)
})
