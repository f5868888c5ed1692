import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, extname, join, relative } from 'node:path'
import { Failure } from '../../../src/domain/failure.ts'

/** Where the files lie that a browser gets. */
export interface DashboardPlaces {
  /** What `npm run build` made of `src/dashboard`. */
  readonly code: string
  /** The same of `src/domain`, of which browsers run a little. */
  readonly domain: string
  /** Styles and pictures, which are served as they are. */
  readonly looks: string
  /** `node_modules` */
  readonly libraries: string
}

/** A file as it is sent. */
interface ServedFile {
  readonly bytes: Buffer<ArrayBuffer>
  readonly type: string
  readonly etag: string
}

/** By the name under which a browser asks for it, such as `pages/board.js`. */
export type ServedFiles = ReadonlyMap<string, ServedFile>

const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** The files of libraries that are served, each built by its makers for browsers and without imports of others. */
const libraries: Readonly<Record<string, string>> = {
  'library/preact.js': 'preact/dist/preact.mjs',
  'library/preact-hooks.js': 'preact/hooks/dist/hooks.mjs',
  'library/preact-jsx-runtime.js': 'preact/jsx-runtime/dist/jsxRuntime.mjs',
  'library/diff2html.js': 'diff2html/bundles/js/diff2html.min.js',
  'library/diff2html.css': 'diff2html/bundles/css/diff2html.min.css',
}

/** The files of the domain that are served, none of which imports another when it runs. */
export const shared = ['standing.js', 'retold.js', 'withdrawn.js'] as const

/** What modules import by a bare name, which browsers do not know. */
const addresses: Readonly<Record<string, string>> = {
  preact: 'library/preact.js',
  'preact/hooks': 'library/preact-hooks.js',
  'preact/jsx-runtime': 'library/preact-jsx-runtime.js',
}

/** The places in this project, from the sources as well as from what was built of them. */
export function dashboardPlaces(): DashboardPlaces {
  for (let root = import.meta.dirname; root !== dirname(root); root = dirname(root)) {
    const looks = join(root, 'src', 'dashboard')
    if (existsSync(join(looks, 'style.css')))
      return {
        code: join(root, 'dist', 'src', 'dashboard'),
        domain: join(root, 'dist', 'src', 'domain'),
        looks,
        libraries: join(root, 'node_modules'),
      }
  }
  throw new Failure('server', 'The folder src/dashboard is missing: install Cofferdam again.')
}

/** Reads all of them. @param base the address below which they are served */
export function readFiles(
  { code, domain, looks, libraries: modules }: DashboardPlaces,
  base: string,
): ServedFiles {
  if (!existsSync(join(code, 'main.js')))
    throw new Failure(
      'server',
      'The dashboard is not built: run `npm run build` where Cofferdam is installed.',
    )
  const own = [...below(code, ['.js']), ...below(looks, ['.css', '.svg'])]
  const borrowed = Object.entries(libraries).map(([name, file]) => [name, join(modules, file)] as const)
  const common = shared.map((name) => [`domain/${name}`, join(domain, name)] as const)
  return new Map([...own, ...common, ...borrowed].map(([name, file]) => [name, served(name, file, base)]))
}

function below(folder: string, endings: readonly string[]): (readonly [string, string])[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => endings.includes(extname(name)))
    .toSorted()
    .map((name) => [relative(folder, join(folder, name)), join(folder, name)])
}

function served(name: string, file: string, base: string): ServedFile {
  const ending = extname(name)
  const text = readFileSync(file, 'utf8')
  const bytes = Buffer.from(ending === '.js' ? withAddresses(text, base) : text)
  const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`
  return { bytes, type: types[ending] ?? 'application/octet-stream', etag }
}

function withAddresses(code: string, base: string): string {
  return code.replaceAll(
    /(\b(?:from|import)\s*)(["'])(preact(?:\/[\w-]+)?|(?:\.\.\/)+(domain\/[\w-]+\.js))\2/g,
    (all, word: string, _, name: string, common: string | undefined) => {
      const file = common ?? addresses[name]
      return file === undefined ? all : `${word}"${base}${file}"`
    },
  )
}
