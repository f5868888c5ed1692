import { parts, type RawPath } from './raw.ts'

/** What a tree or an index holds at a path. */
export interface Entry {
  /** Octal, as git writes it: 100644, 100755, 120000 (symlink), 160000 (submodule). */
  readonly mode: string
  readonly id: string
  readonly path: RawPath
}

export const submoduleMode = '160000'
export const folderMode = '040000'

/** The output of `ls-tree -z`, with `-r`, `-t` or `-d` or without (`<mode> <type> <id>\t<path>`) or of `ls-files -s -z` (`<mode> <id> <stage>\t<path>`). */
export function parseEntries(out: Buffer): readonly Entry[] {
  return parts(out).map((line) => {
    const tab = line.indexOf('\t')
    const words = line.slice(0, tab).split(' ')
    const [mode = '', second = '', third = ''] = words
    return { mode, id: third.length > 1 ? third : second, path: line.slice(tab + 1) as RawPath }
  })
}

/** What is at a path of this mode, in a word for people. */
export function kindOfMode(mode: string): string {
  switch (mode) {
    case '000000':
      return 'gone'
    case '120000':
      return 'symlink'
    case submoduleMode:
      return 'repository'
    default:
      return 'file'
  }
}

/** What `update-index -z --index-info` reads. */
export function indexInfo(entries: readonly Entry[]): Buffer {
  return Buffer.from(entries.map(({ mode, id, path }) => `${mode} ${id}\t${path}\0`).join(''), 'latin1')
}
