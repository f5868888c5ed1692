import type { TreePath } from '../brand.ts'
import { canonicalJson } from '../canonical-json.ts'
import { type Change, type Mark, named } from './mark.ts'

/** Manifests that are programs themselves: whoever builds or installs the package runs them. */
const programs =
  /(?:^|\/)(?:setup\.py|build\.rs|conanfile\.py|binding\.gyp|extconf\.rb|mix\.exs|Package\.swift|build\.gradle(?:\.kts)?|settings\.gradle(?:\.kts)?|Gemfile|Podfile|Rakefile|build\.zig|build\.sbt|Setup\.hs|hatch_build\.py|[^/]+\.gemspec|[^/]+\.podspec)$/

/** What of a manifest is run: keys of JSON, or sections of TOML and INI. */
const jsonKeys: Readonly<Record<string, readonly string[]>> = {
  'package.json': [
    'scripts',
    'bin',
    'husky',
    'lint-staged',
    'simple-git-hooks',
    'pre-commit',
    'gitHooks',
    'trustedDependencies',
    'gypfile',
  ],
  'composer.json': ['scripts', 'bin'],
  'deno.json': ['tasks'],
  'lerna.json': ['command'],
}
const sections: Readonly<Record<string, RegExp>> = {
  'pyproject.toml':
    /^(?:build-system|project\.(?:scripts|gui-scripts|entry-points.*)|tool\.(?:poetry\.(?:scripts|build|plugins.*)|pdm\.(?:scripts|build.*)|hatch\.(?:build|envs).*|setuptools\.cmdclass|poe\.tasks.*|taskipy\.tasks|pixi\.tasks))$/,
  'Cargo.toml': /^(?:build-dependencies.*|bin|profile\..*\.build-override)$/,
  'setup.cfg': /^(?:options\.entry_points|build.*|aliases)$/,
}

/** A mark where what is run of a package's manifest is another now; null where it is the same, or no manifest. */
export function scriptsMark({ path, from, before, after }: Change): Mark | null {
  const mark = (text: string): Mark => ({ rule: 'scripts', path, text: `${named(path)} ${text}.` })
  if (programs.test(path) || programs.test(from))
    return mark('is changed: it is run when the package is built or installed')
  const name = path.slice(path.lastIndexOf('/') + 1)
  const [was, is] = [runPart(name, before), runPart(name, after)]
  if (was === null || is === null) return null
  const changed = [...new Set([...Object.keys(was), ...Object.keys(is)])].filter(
    (key) => was[key] !== is[key],
  )
  if (changed.length === 0) return null
  return mark(`changes what is run of it: ${changed.slice(0, 5).join(', ')}`)
}

/** Whether a manifest has to be read for that. */
export function isScriptManifest(path: TreePath): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1)
  return Object.hasOwn(jsonKeys, name) || Object.hasOwn(sections, name)
}

/** What is run, by its name; null where the file is no such manifest. A manifest that cannot be read is its whole text. */
function runPart(name: string, text: string | null): Readonly<Record<string, string>> | null {
  const keys = jsonKeys[name]
  if (keys !== undefined) return text === null ? {} : jsonPart(text, keys)
  const wanted = sections[name]
  if (wanted === undefined) return null
  return text === null ? {} : tomlPart(text, wanted)
}

function jsonPart(text: string, keys: readonly string[]): Readonly<Record<string, string>> {
  try {
    const value: unknown = JSON.parse(text)
    if (!isObject(value)) return { manifest: text }
    const found = keys.filter((key) => Object.hasOwn(value, key))
    return Object.fromEntries(found.flatMap((key) => flattened(key, value[key])))
  } catch {
    return { manifest: text }
  }
}

function flattened(key: string, value: unknown): readonly (readonly [string, string])[] {
  if (!isObject(value)) return [[key, canonicalJson(value)]]
  return Object.entries(value).map(([name, inner]) => [`${key}.${name}`, canonicalJson(inner)] as const)
}

/** The lines of each wanted section. A dotted or inline form of it (`build-system = {…}`) is a line before any section. */
function tomlPart(text: string, wanted: RegExp): Readonly<Record<string, string>> {
  const found: Record<string, string> = {}
  let section = ''
  for (const raw of text.split('\n')) {
    const line = raw.trim()
    const header = /^\[{1,2}\s*([^\]]+?)\s*\]{1,2}/.exec(line)
    if (header !== null) {
      section = (header[1] ?? '').replaceAll(/["'\s]/g, '')
      continue
    }
    if (line === '' || line.startsWith('#')) continue
    const key = /^([\w.-]+)\s*=/.exec(line)?.[1] ?? ''
    const whole = section === '' ? key : `${section}.${key}`
    const parent = whole.slice(0, whole.lastIndexOf('.'))
    if (wanted.test(section)) found[section] = `${found[section] ?? ''}${line}\n`
    else if (key !== '' && (wanted.test(whole) || wanted.test(parent) || whole === 'package.build'))
      found[whole] = line
  }
  return found
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
