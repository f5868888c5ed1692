import { counted } from '../../domain/text.ts'

/** Where a file of a diff begins. Lines of content never do so. */
const begins = /(?<=\n)(?=diff --git )/

/** A diff that fits into a file which comes with a message. */
export interface Fitted {
  readonly text: string
  /** Whether something is missing from it. */
  readonly isCut: boolean
}

/**
 * A diff of at most `most` characters. Where it is longer, the largest files are there by their headings alone, so that none
 * hides the others; what still is too long is cut at its end.
 */
export function fitted(diff: string, most: number): Fitted {
  if (diff.length <= most) return { text: diff, isCut: false }
  const files = diff.split(begins)
  let length = diff.length
  for (const index of files
    .map((_, at) => at)
    .sort((a, b) => (files[b]?.length ?? 0) - (files[a]?.length ?? 0))) {
    if (length <= most) break
    const file = files[index] ?? ''
    const short = headingOf(file)
    if (short.length >= file.length) continue
    files[index] = short
    length += short.length - file.length
  }
  return { text: files.join('').slice(0, most), isCut: true }
}

/** With a mark that tells how much is missing. */
function headingOf(file: string): string {
  const at = file.search(/^(?:@@ |GIT binary patch$)/m)
  if (at < 0) return file
  return `${file.slice(0, at)}[not shown here: ${counted(file.slice(at).split('\n').length - 1, 'line')}]\n`
}
