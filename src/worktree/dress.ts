import { mkdir, writeFile } from 'node:fs/promises'
import type { HostPath } from '../domain/brand.ts'

// Content is stored and checked out as it is, whatever a .gitattributes says: blobs equal the bytes on disk. Nor may
// one hide a file's changes from a diff that people read.
const attributes = '* -text -ident -filter -working-tree-encoding -eol !diff\n'

/** Makes a mirror of a folder that holds objects alone. */
export async function dress(mirror: HostPath, format: string): Promise<void> {
  await mkdir(`${mirror}/refs/heads`, { recursive: true })
  await mkdir(`${mirror}/info`)
  await writeFile(`${mirror}/info/attributes`, attributes)
  await writeFile(`${mirror}/HEAD`, 'ref: refs/heads/none\n')
  await writeFile(`${mirror}/config`, gitConfig(true, format, []))
}

/** A repository's configuration from nothing. */
export function gitConfig(bare: boolean, format: string, more: readonly string[]): string {
  const lines = [
    '[core]',
    `\trepositoryformatversion = ${format === 'sha1' ? 0 : 1}`,
    '\tfilemode = true',
    `\tbare = ${bare}`,
    ...(format === 'sha1' ? [] : ['[extensions]', `\tobjectformat = ${format}`]),
    ...more,
  ]
  return `${lines.join('\n')}\n`
}
