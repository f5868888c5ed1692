import { nameText } from '../words.ts'

// A unified diff as git writes it, read without a library.

/** The parts of a diff, one for each file. Lines of content never begin so. */
export function filesOfDiff(diff: string): readonly string[] {
  return diff.split(/^(?=diff --git )/m).filter((part) => part.startsWith('diff --git '))
}

/** What the server says at its end of a diff that is too long; null where it has all of it. */
export function cutOf(diff: string): string | null {
  return /^\[cut: (.*)\]\n?$/m.exec(diff.slice(diff.trimEnd().lastIndexOf('\n') + 1))?.[1] ?? null
}

/** Whether the server left out what is in the file, as too large. Lines of content never begin so. */
export function isLeftOut(text: string): boolean {
  return /^\[not shown: /m.test(text)
}

/** What stands behind these letters at the beginning of a line of the heading. */
const lineIn = (head: string, begin: string): string | null =>
  new RegExp(`^${begin}(.*)$`, 'm').exec(head)?.[1] ?? null

/** The file that a part of a diff is about, as it is called after the change, or before it where it is gone. */
export function nameInDiff(text: string): string {
  const head = headOf(text)
  const line = (begin: string): string | null => lineIn(head, begin)
  const moved = line('rename to ') ?? line('copy to ')
  if (moved !== null) return unquoted(moved)
  const name =
    [line('\\+\\+\\+ '), line('--- ')].find((each) => each !== null && each !== '/dev/null') ?? null
  if (name !== null) return unquoted(name.replace(/\t$/, '')).slice(2)
  // Neither lines nor another name: both names here are the same.
  const both = (head.split('\n', 1)[0] ?? '').slice('diff --git '.length)
  const one = both.slice(0, (both.length - 1) / 2)
  return unquoted(one).slice(2)
}

/** What git says of a file before its lines. */
function headOf(text: string): string {
  return text.split(/^@@ /m, 1)[0] ?? ''
}

/** Whether a part of a diff has lines, which is what a view shows. */
export function hasLines(text: string): boolean {
  return headOf(text) !== text
}

const letters: Readonly<Record<string, number>> = { a: 7, b: 8, t: 9, n: 10, v: 11, f: 12, r: 13 }

/** A name without the quotes and escapes of git, which writes the bytes of what is not plain in octal. */
function unquoted(name: string): string {
  const [, inside = null] = /^"(.*)"$/.exec(name) ?? []
  if (inside === null) return name
  const bytes: number[] = []
  for (const [all, octal, letter] of inside.matchAll(/\\([0-7]{3})|\\(.)|[^\\]+/gu)) {
    if (octal !== undefined) bytes.push(Number.parseInt(octal, 8))
    else if (letter !== undefined) bytes.push(letters[letter] ?? letter.charCodeAt(0))
    else bytes.push(...new TextEncoder().encode(all))
  }
  return new TextDecoder().decode(new Uint8Array(bytes))
}

const kinds: Readonly<Record<string, string>> = {
  '100644': 'file',
  '100755': 'executable file',
  '120000': 'symbolic link',
  '160000': 'submodule',
}
const kindOf = (mode: string): string => kinds[mode] ?? `file of mode ${mode}`

/** What becomes of the file besides its lines: whether it is new, gone, moved, or another kind of file. */
export function factsOfDiff(text: string): readonly string[] {
  const head = headOf(text)
  const line = (begin: string): string | null => lineIn(head, begin)
  const made = line('new file mode ')
  const gone = line('deleted file mode ')
  const [from, copied] = [line('rename from '), line('copy from ')]
  const [before, after] = [line('old mode '), line('new mode ')]
  const stays = /^index \S+ (\d+)$/m.exec(head)?.[1] ?? '100644'
  return [
    ...(made === null ? [] : [`new ${kindOf(made)}`]),
    ...(gone === null ? [] : [`deleted ${kindOf(gone)}`]),
    ...(from === null ? [] : [`renamed from ${nameText(unquoted(from))}`]),
    ...(copied === null ? [] : [`copied from ${nameText(unquoted(copied))}`]),
    ...(before === null || after === null ? [] : [`${kindOf(before)} → ${kindOf(after)}`]),
    ...(stays === '100644' ? [] : [kindOf(stays)]),
    // Git says so of what is left out as too large.
    ...(/^Binary files .* differ$/m.test(head) && !isLeftOut(text) ? ['binary'] : []),
  ]
}

/** How many lines a part of a diff adds and takes away. */
export function sizeOfDiff(text: string): { readonly added: number; readonly removed: number } {
  const lines = text.slice(text.search(/^@@ /m)).split('\n')
  if (!/^@@ /m.test(text)) return { added: 0, removed: 0 }
  return {
    added: lines.filter((line) => line.startsWith('+')).length,
    removed: lines.filter((line) => line.startsWith('-')).length,
  }
}
