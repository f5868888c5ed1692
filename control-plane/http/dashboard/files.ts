import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, extname, join, relative } from 'node:path'
import { Failure } from '../../../src/domain/failure.ts'

/** Where the files lie that a browser gets. */
export interface DashboardPlaces {
  /** What `npm run build` made of `src/dashboard`, with all that it imports. */
  readonly code: string
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

/** By the name under which a browser asks for it, such as `main.js`. */
export type ServedFiles = ReadonlyMap<string, ServedFile>

const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** The files of a library that are served as they are, built by its makers for browsers. */
const libraries: Readonly<Record<string, string>> = {
  'library/diff2html.js': 'diff2html/bundles/js/diff2html.min.js',
  'library/diff2html.css': 'diff2html/bundles/css/diff2html.min.css',
}

/** The places in this project, from the sources as well as from what was built of them. */
export function dashboardPlaces(): DashboardPlaces {
  for (let root = import.meta.dirname; root !== dirname(root); root = dirname(root)) {
    const looks = join(root, 'src', 'dashboard')
    if (existsSync(join(looks, 'style.css')))
      return {
        code: join(root, 'dist', 'dashboard'),
        looks,
        libraries: join(root, 'node_modules'),
      }
  }
  throw new Failure('server', 'The folder src/dashboard is missing: install Cofferdam again.')
}

/** Reads all of them. */
export function readFiles({ code, looks, libraries: modules }: DashboardPlaces): ServedFiles {
  if (!existsSync(join(code, 'main.js')))
    throw new Failure(
      'server',
      'The dashboard is not built: run `npm run build` where Cofferdam is installed.',
    )
  const own = [...below(code, ['.js']), ...below(looks, ['.css', '.svg'])]
  const borrowed = Object.entries(libraries).map(([name, file]) => [name, join(modules, file)] as const)
  return new Map([...own, ...borrowed].map(([name, file]) => [name, served(file)]))
}

function below(folder: string, endings: readonly string[]): (readonly [string, string])[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => endings.includes(extname(name)))
    .toSorted()
    .map((name) => [relative(folder, join(folder, name)), join(folder, name)])
}

function served(file: string): ServedFile {
  const bytes = readFileSync(file)
  const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`
  return { bytes, type: types[extname(file)] ?? 'application/octet-stream', etag }
}
