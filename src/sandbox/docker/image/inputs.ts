import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { Failure } from '../../../domain/failure.ts'

const pinSchema = z.object({ version: z.string(), integrity: z.string().startsWith('sha512-') })
const pinsSchema = z.object({
  why: z.string(),
  base: z.string(),
  epoch: z.number().int(),
  npm: pinSchema,
  node: z.object({
    x64: pinSchema.extend({ headers: z.string() }),
    arm64: pinSchema.extend({ headers: z.string() }),
  }),
})

/** A package of the npm registry, with the version and the integrity that it must have. */
export interface NpmPin {
  readonly name: string
  readonly version: string
  /** As npm writes it: `sha512-<base64>`. */
  readonly integrity: string
}

interface ImageFile {
  /** Relative to the build context. */
  readonly path: string
  readonly text: string
  readonly executable: boolean
}

/** All that goes into the image from this side. Plain data: its hash is the image's tag. */
export interface ImageInputs {
  readonly base: {
    /** The image that is pulled where a registry answers. */
    readonly pull: string
    readonly packages: readonly string[]
    /** The time of every file that would otherwise carry the time of the build, seconds since the Unix epoch. */
    readonly epoch: number
    readonly arch: string
    readonly recipe: number
  }
  /** `headers`: OpenSSL's headers for this architecture; those of the others are left out. */
  readonly node: { readonly node: NpmPin; readonly npm: NpmPin; readonly headers: string }
  readonly files: readonly ImageFile[]
}

/** Counts the ways in which bootstrap.ts has made a base: another number makes another image. */
const recipe = 1

/** Where a machine keeps the certificate authorities that it trusts beside those of its distribution. */
const ownAuthorities = '/usr/local/share/ca-certificates'

export function imageInputs(): ImageInputs {
  const folder = contextFolder()
  const pins = pinsSchema.parse(JSON.parse(readFileSync(join(folder, 'pins.json'), 'utf8')))
  const arch = process.arch
  if (arch !== 'x64' && arch !== 'arm64') {
    throw new Failure(
      'image',
      `There is no sandbox image for this machine's architecture (${arch}), only for x64 and arm64.`,
    )
  }
  const { headers, ...node } = pins.node[arch]
  const packages = readFileSync(join(folder, 'packages.txt'), 'utf8').trim().split('\n')
  return {
    base: { pull: pins.base, packages, epoch: pins.epoch, arch, recipe },
    node: { node: { name: `node-linux-${arch}`, ...node }, npm: { name: 'npm', ...pins.npm }, headers },
    files: [
      // Agents stand on the core and are no part of it.
      ...filesOf(folder, '').filter(({ path }) => !path.endsWith('.md') && !path.startsWith('agents/')),
      ...(existsSync(ownAuthorities)
        ? filesOf(ownAuthorities, 'authorities/').filter(({ path }) => path.endsWith('.crt'))
        : []),
    ],
  }
}

/** Twelve hex digits that stand for a plain value. */
export function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 12)
}

function filesOf(folder: string, prefix: string): ImageFile[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((path) => ({ path, full: join(folder, path) }))
    .filter(({ full }) => statSync(full).isFile())
    .map(({ path, full }) => ({
      path: prefix + path,
      text: readFileSync(full, 'utf8'),
      executable: (statSync(full).mode & 0o100) !== 0,
    }))
}

/** The folder sandbox-image of the project, from the sources as well as from what was built of them. */
export function contextFolder(): string {
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    const found = join(folder, 'sandbox-image')
    if (existsSync(join(found, 'Dockerfile'))) return found
  }
  throw new Failure('image', 'The folder sandbox-image is missing: install Cofferdam again.')
}
