import type Docker from 'dockerode'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '../../../domain/failure.ts'
import { aptSettings, aptSources, keyrings } from './apt.ts'
import { command } from './command.ts'
import { importTar } from './import.ts'
import { tellingTime } from './watcher.ts'
import type { BuildWatcher } from './watcher.ts'

/**
 * Makes a base image from the machine's own apt sources and tags it. The packages are in it; the machine's sources, name
 * servers and host name are not, and no file keeps a setuid or setgid bit.
 */
export async function bootstrapBase(
  docker: Docker,
  base: { readonly packages: readonly string[]; readonly epoch: number },
  tag: { readonly repo: string; readonly tag: string },
  folder: string,
  watcher: BuildWatcher,
): Promise<void> {
  const sources = await aptSources()
  if (!existsSync('/usr/bin/mmdebstrap')) {
    throw new Failure(
      'image',
      'No image registry answers: run `apt-get install mmdebstrap` as root, then this again.',
    )
  }
  const settings = join(folder, 'apt.conf')
  await writeFile(settings, await aptSettings())
  watcher.progress(
    `bootstrapping a base image (${sources.suite}) from this machine's apt sources: a minute or two`,
  )

  const part = tellingTime(watcher, 'starting')
  let id: string | null = null
  try {
    await command(
      'env',
      [`TMPDIR=${folder}`, `SOURCE_DATE_EPOCH=${base.epoch}`, ...contained(), ...mmdebstrap()],
      {
        stdin: sources.lines.map((line) => `${line}\n`).join(''),
        said: (line) => {
          if (/^I: [a-z ,-]+\.\.\.$/.test(line)) part.next(line.slice(3, -3))
        },
        reading: (tar) =>
          importTar(docker, tar, (made) => {
            id = made
          }),
      },
    )
  } catch (error) {
    if (id !== null) await docker.getImage(id).remove() // what a bootstrap wrote that failed in the end
    throw error
  } finally {
    part.end()
  }
  if (id === null)
    throw new Failure('image', 'The engine took the bootstrapped base without an answer: run this again.')
  await docker.getImage(id).tag(tag)

  function mmdebstrap(): readonly string[] {
    return [
      'mmdebstrap',
      '--variant=minbase',
      '--format=tar',
      `--include=${base.packages.join(',')}`,
      `--aptopt=${settings}`,
      '--dpkgopt=force-unsafe-io',
      '--dpkgopt=path-exclude=/usr/share/man/*',
      '--dpkgopt=path-exclude=/usr/share/info/*',
      '--dpkgopt=path-exclude=/usr/share/locale/*',
      '--dpkgopt=path-exclude=/usr/share/doc/*',
      '--dpkgopt=path-include=/usr/share/doc/*/copyright',
      '--dpkgopt=path-exclude=/usr/bin/*-lto-dump-*', // 32 MB to look into object files
      ...keyrings().map((path) => `--keyring=${path}`),
      `--customize-hook=${afterwards}`,
      sources.suite,
      '-', // to standard output
      '-', // sources from standard input
    ]
  }
}

const afterwards = [
  'rm -f "$1"/etc/apt/sources.list "$1"/etc/apt/apt.conf.d/99mmdebstrap "$1"/etc/dpkg/dpkg.cfg.d/99mmdebstrap',
  'rm -f "$1"/etc/resolv.conf "$1"/etc/hostname',
  'find "$1" -xdev -perm /6000 -exec chmod a-s {} +',
].join(' && ')

/**
 * In front of a command: makes it end with this process, whatever kills that. As root with a process namespace of its own,
 * so that all it started ends with it and nothing stays mounted.
 */
function contained(): readonly string[] {
  const dying = ['setpriv', '--pdeathsig', 'KILL']
  return process.getuid?.() === 0
    ? [...dying, 'unshare', '--pid', '--mount', '--fork', '--kill-child']
    : dying
}
