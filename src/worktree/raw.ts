import type { Brand, HostPath, TreePath } from '../domain/brand.ts'

/**
 * A path inside a repository as git and the disk hold it: its bytes, one character (U+0000 to U+00FF) each. Names need
 * not be UTF-8, so paths stay raw until they are shown or judged.
 */
export type RawPath = Brand<string, 'RawPath'>

const ascii = /^[\0-\x7f]*$/

function rawOf(bytes: Buffer): RawPath {
  return bytes.toString('latin1') as RawPath
}

function bytesOf(raw: RawPath): Buffer {
  return Buffer.from(raw, 'latin1')
}

/** For people and the policy: UTF-8, with a replacement character where it is none. */
export function textOf(raw: RawPath): TreePath {
  return ascii.test(raw) ? raw : bytesOf(raw).toString('utf8')
}

/** The beginning of a long path, for a sentence. */
export function shown(raw: RawPath): TreePath {
  const text = textOf(raw)
  return text.length <= 120 ? text : `${text.slice(0, 117)}...`
}

/** The place of `raw` under `root`; a buffer where the name needs one. */
export function diskPath(root: HostPath, raw: RawPath): string | Buffer {
  if (ascii.test(raw)) return raw === '' ? root : `${root}/${raw}`
  return Buffer.concat([Buffer.from(`${root}/`), bytesOf(raw)])
}

export function rawFrom(text: TreePath): RawPath {
  return ascii.test(text) ? (text as RawPath) : rawOf(Buffer.from(text, 'utf8'))
}

/** `folder/name`, where the folder may be the root. */
export function rawJoin(folder: RawPath, name: string): RawPath {
  return (folder === '' ? name : `${folder}/${name}`) as RawPath
}

/** The paths as git reads them from its standard input with `-z`. */
export function nulled(paths: Iterable<RawPath>): Buffer {
  return Buffer.from([...paths].map((path) => `${path}\0`).join(''), 'latin1')
}

/** The parts of a `-z` output, without the empty one at its end. */
export function parts(out: Buffer): readonly RawPath[] {
  const all = out.toString('latin1').split('\0') as RawPath[]
  if (all.at(-1) === '') all.pop()
  return all
}

/** A path that stands for a whole folder, as git writes it: with `/` at its end. */
export function asFolder(path: RawPath): RawPath {
  return `${path}/` as RawPath
}

export function isFolder(path: RawPath): boolean {
  return path.endsWith('/')
}

/** Such a path without its last slash. */
export function bare(path: RawPath): RawPath {
  return (isFolder(path) ? path.slice(0, -1) : path) as RawPath
}

/** Whether `path` is `folder` or lies in it. */
export function within(folder: string, path: string): boolean {
  return path === folder || path.startsWith(`${folder}/`)
}
