// Names as a case-insensitive file system might see them, so that `.ENV` or a decomposed `é` is no way round a pattern.

// Code points that HFS+ does not see in a name.
const invisible = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g
const plain = /^[\u0020-\u007e]*$/

/** Case and Unicode form folded away; also right for a pattern. Any string is fine, lone surrogates included. */
export function fold(text: string): string {
  if (plain.test(text)) return text.toLowerCase()
  const composed = text.replaceAll(invisible, '').normalize('NFC')
  // Up and down again: the long s and its like have only an upper form in common with the letter they stand for.
  return composed.toUpperCase().toLowerCase().normalize('NFC')
}

/** A name in a path, folded. One of which nothing would be left that names anything, as it is: no file system opens another. */
export function foldName(name: string): string {
  const folded = fold(name)
  return folded === '' || folded === '.' || folded === '..' ? name : folded
}

/**
 * The name that a Windows-like file system would open for a folded `name`: without trailing dots and spaces, without a
 * stream suffix, and `.git` for its short name. The same name where there is no such thing.
 */
export function looseName(name: string): string {
  const colon = name.indexOf(':')
  let end = colon > 0 ? colon : name.length
  while (end > 0 && (name[end - 1] === '.' || name[end - 1] === ' ')) end -= 1
  if (end === 0) return name
  const loose = end === name.length ? name : name.slice(0, end)
  return loose === 'git~1' ? '.git' : loose
}
