import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { messageOf, systemCodeOf } from '../domain/failure.ts'
import { registriesOf, type Registries, type RegistrySetting } from '../domain/registries.ts'
import type { Environment } from './environment.ts'

const run = promisify(execFile)

/** Asks a program; a sentence where it is there and does not answer, null where it is not installed. */
type Ask = (program: string, args: readonly string[]) => Promise<string>

/**
 * Reads where this machine's npm, pip and apt get their packages. Each is asked by its own command, so that whatever it
 * reads (files, environment, defaults) counts. What is not installed here is not reached from a box either.
 */
export async function readRegistries(around: Environment): Promise<Registries> {
  const ask: Ask = async (program, args) => {
    const { stdout } = await run(program, [...args], {
      // Not in a repository: a project's own settings are not the operator's.
      cwd: '/',
      env: { ...around.env, NO_COLOR: '1' },
      timeout: 20_000,
      maxBuffer: 4 * 1024 * 1024,
    })
    return stdout
  }
  const notes: string[] = []
  const found = await Promise.all(
    [npm, pip, apt].map(async (read) => {
      try {
        return await read(ask)
      } catch (error) {
        if (!isMissing(error))
          notes.push(`Its ${read.name} could not be asked for registries: ${messageOf(error)}`)
        return []
      }
    }),
  )
  const registries = registriesOf(found.flat())
  return { ...registries, notes: [...notes, ...registries.notes] }
}

async function npm(ask: Ask): Promise<readonly RegistrySetting[]> {
  const settings = JSON.parse(await ask('npm', ['config', 'list', '--long', '--json'])) as Record<
    string,
    unknown
  >
  return Object.entries(settings).flatMap(([key, value]) => {
    if (typeof value !== 'string' || (key !== 'registry' && !key.endsWith(':registry'))) return []
    const what = key === 'registry' ? 'npm registry' : `npm registry of ${key.slice(0, key.indexOf(':'))}`
    return [{ what, url: value, variable: `npm_config_${key}` }]
  })
}

// Of pip itself, so that no name of an index stands here.
const pipDefaults =
  'from pip._internal.models.index import PyPI as p; print(p.simple_url); print("https://" + p.file_storage_domain)'

async function pip(ask: Ask): Promise<readonly RegistrySetting[]> {
  const [listed, defaults] = await Promise.all([
    ask('python3', ['-m', 'pip', 'config', 'list']),
    ask('python3', ['-c', pipDefaults]),
  ])
  const set = (key: string): readonly string[] =>
    [...listed.matchAll(new RegExp(`^(?:global|install|user|site|:env:)\\.${key}='(.*)'$`, 'gm'))].flatMap(
      ([, value]) => (value ?? '').split(/\s+|\\n/).filter((part) => part !== ''),
    )
  const [index, files] = defaults.trim().split('\n')
  const indexes = set('index-url')
  const extras = set('extra-index-url')
  const asIndex = (url: string, variable: string): RegistrySetting => ({ what: 'pip index', url, variable })
  return [
    // pip takes the last that is set; its own index has its files elsewhere.
    ...(indexes.length > 0
      ? [asIndex(indexes.at(-1) ?? '', 'PIP_INDEX_URL')]
      : [asIndex(index ?? '', 'PIP_INDEX_URL'), { what: 'pip files', url: files ?? '', variable: null }]),
    ...extras.map((url) => asIndex(url, 'PIP_EXTRA_INDEX_URL')),
  ]
}

async function apt(ask: Ask): Promise<readonly RegistrySetting[]> {
  const listed = await ask('apt-get', ['indextargets', '--format', '$(REPO_URI)'])
  const urls = new Set(listed.split('\n').filter((line) => line !== ''))
  return [...urls].map((url) => ({ what: 'apt source', url, variable: null }))
}

function isMissing(error: unknown): boolean {
  return systemCodeOf(error) === 'ENOENT'
}
