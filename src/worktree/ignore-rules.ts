/** The content of a `.gitignore` file and the folder it is in; `''` is the root. */
export interface IgnoreFile {
  readonly folder: string
  readonly content: string
}

/**
 * All rules of a tree as one list for the root, so that they can be asked without the files being in place: those of
 * deeper folders come later, as they win.
 */
export function combineRules(files: readonly IgnoreFile[]): string {
  const depth = (folder: string): number => (folder === '' ? 0 : folder.split('/').length)
  return [...files]
    .sort((one, other) => depth(one.folder) - depth(other.folder))
    .flatMap(({ folder, content }) => content.split('\n').flatMap((line) => rebase(line, folder)))
    .map((rule) => `${rule}\n`)
    .join('')
}

/** One rule of a folder's file as a rule of the root; none for comments and empty lines. */
function rebase(line: string, folder: string): readonly string[] {
  const rule = line.replace(/\r$/, '')
  if (rule.trim() === '' || rule.startsWith('#')) return []
  if (folder === '') return [rule]
  const negated = rule.startsWith('!')
  const pattern = negated ? rule.slice(1) : rule
  // A slash that is not the last sign ties a pattern to its folder.
  const tied = /\/(?=.*\S)/.test(pattern.replace(/\/\s*$/, ''))
  const body = pattern.replace(/^\//, '')
  return [`${negated ? '!' : ''}/${literal(folder)}/${tied ? '' : '**/'}${body}`]
}

function literal(folder: string): string {
  return folder.replaceAll(/[\\*?[\]!# ]/g, (sign) => `\\${sign}`)
}
