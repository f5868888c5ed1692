import type { TreePath } from './brand.ts'
import { canonicalJson, sha256 } from './canonical-json.ts'

// Files that say what a setup command installs: when one changes, setup must run again.
const names = new Set(
  `
  package.json package-lock.json npm-shrinkwrap.json yarn.lock bun.lock bun.lockb
  pnpm-lock.yaml pnpm-workspace.yaml .pnpmfile.cjs deno.json deno.lock
  pyproject.toml setup.py setup.cfg Pipfile Pipfile.lock poetry.lock pdm.lock uv.lock environment.yml conda-lock.yml
  go.mod go.sum go.work go.work.sum Cargo.toml Cargo.lock
  Gemfile Gemfile.lock gems.rb gems.locked composer.json composer.lock mix.exs mix.lock
  pubspec.yaml pubspec.lock Package.swift Package.resolved
  pom.xml build.gradle build.gradle.kts settings.gradle settings.gradle.kts gradle.lockfile libs.versions.toml build.sbt
  packages.lock.json packages.config Directory.Packages.props
  `
    .trim()
    .split(/\s+/),
)
const shapes = [
  /^(?:dev-)?(?:requirements|constraints)[^/]*\.(?:txt|in)$/,
  /\.(?:gemspec|csproj|fsproj|vbproj)$/,
]

// What was installed carries manifests of its own.
const installed = /(?:^|\/)(?:node_modules|vendor|bower_components|site-packages|\.venv|venv)\//

/** Whether a path says what setup installs; at any depth, but not among what was installed. */
export function isManifest(path: TreePath): boolean {
  if (installed.test(path)) return false
  const name = path.slice(path.lastIndexOf('/') + 1)
  if (names.has(name) || shapes.some((shape) => shape.test(name))) return true
  return /(?:^|\/)requirements\/[^/]+\.(?:txt|in)$/.test(path)
}

// The keys of a package.json that an installation reads, and the scripts that it runs.
const packageKeys = `
  dependencies devDependencies optionalDependencies peerDependencies peerDependenciesMeta dependenciesMeta
  bundleDependencies bundledDependencies overrides resolutions pnpm workspaces packageManager engines devEngines
  allowScripts trustedDependencies gypfile
  `
  .trim()
  .split(/\s+/)
const installScripts = [
  'preinstall',
  'install',
  'postinstall',
  'preprepare',
  'prepare',
  'postprepare',
  'prepublish',
]

/**
 * A hash that changes when what would be installed may change. For a package.json it reads only what an installation
 * reads, so that a formatter or a new test script is no change; any other file counts byte for byte.
 */
export function manifestFingerprint(path: TreePath, content: Buffer): string {
  if (path.slice(path.lastIndexOf('/') + 1) === 'package.json') {
    const parsed = parseObject(content.toString('utf8'))
    if (parsed !== null) return sha256(canonicalJson(installPart(parsed)))
  }
  return sha256(content)
}

function installPart(manifest: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const scripts = isObject(manifest['scripts']) ? manifest['scripts'] : {}
  return { ...pick(manifest, packageKeys), scripts: pick(scripts, installScripts) }
}

function pick(from: Readonly<Record<string, unknown>>, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(keys.filter((key) => Object.hasOwn(from, key)).map((key) => [key, from[key]]))
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : null
  } catch {
    return null
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
