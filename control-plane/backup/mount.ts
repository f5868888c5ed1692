import { readFile, realpath } from 'node:fs/promises'

/** Whether a disk, or a volume of a container, is mounted at a path: such a folder can be filled, but not moved or removed. */
export async function isMountPoint(path: string): Promise<boolean> {
  const [real, mounts] = await Promise.all([
    realpath(path).catch(() => null),
    readFile('/proc/self/mountinfo', 'utf8').catch(() => ''),
  ])
  return mounts.split('\n').some((line) => mountPointOf(line) === real && real !== null)
}

/** proc_pid_mountinfo(5): the fifth field, where blanks and the like are `\` and three octal digits. */
function mountPointOf(line: string): string | null {
  const field = line.split(' ')[4]
  if (field === undefined) return null
  return field.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCodePoint(Number.parseInt(octal, 8)),
  )
}
