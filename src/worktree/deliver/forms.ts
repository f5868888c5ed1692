import { randomUUID } from 'node:crypto'
import type { HostPath } from '../../domain/brand.ts'
import { readBlobs } from '../blobs.ts'
import { gitFailure } from '../git.ts'
import { nulled, parts, type RawPath } from '../raw.ts'
import type { Site } from '../site.ts'
import type { Checkout } from './checkouts.ts'
import type { Difference } from './differences.ts'

/**
 * The forms in which git may write what was at each path and what is to be there, by the attributes of the path and by how
 * the checkout is configured: as it is stored, with lines that end with CRLF, or converted.
 * @param mirror holds what was and what is to be
 * @param mostBytes more than this is left out
 */
export async function formsOf(
  site: Site,
  mirror: HostPath,
  checkout: Checkout,
  differences: readonly Difference[],
  mostBytes: number,
): Promise<readonly (readonly Buffer[])[]> {
  const blobs = await readBlobs(site.git, { gitDir: mirror }, differences.flatMap(idsOf), {
    mostBytes,
    cut: true,
  })
  const attributes = await attributesOf(site, checkout, differences)
  const wanted = differences.filter((_, index) => isConverted(attributes[index]))
  const converted = await convertedIn(site, checkout, wanted, mostBytes)
  const settings = new Map(checkout.options.config)
  return differences.map((difference, index) => {
    const stored = idsOf(difference).flatMap((id) => blobs.get(id) ?? [])
    const crlf = isCrlf(settings, attributes[index]) ? stored.map(withCrlf) : []
    return [...stored, ...crlf, ...(converted.get(difference) ?? [])]
  })
}

function idsOf({ before, after }: Difference): readonly string[] {
  return [before, after].filter((id) => id !== null)
}

const asked = ['text', 'eol', 'ident', 'working-tree-encoding'] as const
type Attributes = Readonly<Record<(typeof asked)[number], string | undefined>>

async function attributesOf(
  site: Site,
  { place, options }: Checkout,
  differences: readonly Difference[],
): Promise<readonly Attributes[]> {
  const input = nulled(differences.map(({ path }) => path))
  const args = ['check-attr', '-z', '--stdin', ...asked]
  // Path, attribute and value, one after the other, for each of them.
  const words = parts(await site.git.run(place, args, { ...options, input }))
  return differences.map((_, index) => {
    const [text, eol, ident, encoding] = asked.map(
      (_name, which) => words[3 * (asked.length * index + which) + 2],
    )
    return { text, eol, ident, 'working-tree-encoding': encoding }
  })
}

function isCrlf(settings: ReadonlyMap<string, string>, { text, eol }: Partial<Attributes> = {}): boolean {
  if (text === 'unset' || eol === 'lf') return false
  if (eol === 'crlf' || settings.get('core.autocrlf') === 'true') return true
  return settings.get('core.eol') === 'crlf' && (text === 'set' || text === 'auto')
}

const withCrlf = (blob: Buffer): Buffer =>
  Buffer.from(blob.toString('latin1').replaceAll(/(?<!\r)\n/g, '\r\n'), 'latin1')

/** Whether git writes it with keywords expanded, or in another encoding. */
function isConverted(attributes: Partial<Attributes> = {}): boolean {
  const encoding = attributes['working-tree-encoding'] ?? 'unspecified'
  return attributes.ident === 'set' || !['unspecified', 'unset', 'set'].includes(encoding)
}

/** What git writes there, as far as the repository has the contents: before a file is written it has all of them. */
async function convertedIn(
  site: Site,
  { place, options, folder }: Checkout,
  differences: readonly Difference[],
  mostBytes: number,
): Promise<ReadonlyMap<Difference, readonly Buffer[]>> {
  const found = new Map<Difference, Buffer[]>()
  const wanted = differences.flatMap((difference) => idsOf(difference).map((id) => ({ difference, id })))
  if (wanted.length === 0) return found
  // The sizes that git prints are those before: what tells the contents apart must be in none of them.
  const mark = randomUUID()
  // It looks for attributes in the folder that it is started in.
  const args = ['-C', folder, 'cat-file', '--filters', '-z', `--batch=${mark} %(objectname)`]
  const input = nulled(wanted.map(({ difference, id }) => `${id} ${difference.path}` as RawPath))
  const { code, out, err } = await site.git.ask(place, args, { ...options, input, mostBytes, cut: true })
  if (code !== 0) throw gitFailure('cat-file', err)
  let start = 0
  for (const { difference, id } of wanted) {
    const head = Buffer.from(`${mark} ${id}\n`)
    // It is missing.
    if (!out.subarray(start, start + head.length).equals(head)) continue
    const next = out.indexOf(mark, start + head.length)
    const end = next === -1 ? out.length : next
    // After each there is a line break.
    found.set(difference, [...(found.get(difference) ?? []), out.subarray(start + head.length, end - 1)])
    start = end
  }
  return found
}
