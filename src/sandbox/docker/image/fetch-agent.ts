import { existsSync } from 'node:fs'
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { Failure } from '../../../domain/failure.ts'
import type { AgentInputs } from './agents.ts'
import { command } from './command.ts'
import { type BuildWatcher, tellingTime } from './watcher.ts'

/**
 * Fetches an agent's packages by the machine's own npm and its settings, each checked against the lock file, runs nothing of
 * theirs, and lays them out in `local` as they stand in `/usr/local` of the image, without what no program reads as it runs:
 * types and maps of sources, half of what some consist of. Returns the folder of the build context.
 */
export async function fetchAgent(
  inputs: AgentInputs,
  folder: string,
  watcher: BuildWatcher,
): Promise<string> {
  const { name, arch, program } = inputs
  const context = join(folder, name)
  const place = join(context, 'local', 'lib', 'agents', name)
  await mkdir(place, { recursive: true })
  await writeFile(join(place, 'package.json'), inputs.manifest)
  await writeFile(join(place, 'package-lock.json'), inputs.lock)
  watcher.progress(`fetching ${name} with npm`)
  const part = tellingTime(watcher, 'npm ci')
  try {
    // The Node that they run on is that of the image; the machine's own may be older than they want.
    await command(
      'npm',
      ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--engine-strict=false'].concat([
        '--os=linux',
        `--cpu=${arch}`,
        '--libc=glibc',
      ]),
      { folder: place },
    )
  } finally {
    part.end()
  }
  if (!existsSync(join(place, program)))
    throw new Failure('image', `There is no ${name} for this machine's architecture (${arch}).`)
  await rm(join(place, 'node_modules', '.package-lock.json'), { force: true })
  const unread = ['*.map', '*.d.ts', '*.d.mts', '*.d.cts'].flatMap((name) => ['-o', '-name', name]).slice(1)
  await command('find', [join(place, 'node_modules'), '-type', 'f', '(', ...unread, ')', '-delete'], {})
  const link = join(context, 'local', 'bin', name)
  await mkdir(dirname(link))
  await symlink(relative(dirname(link), join(place, program)), link)
  await writeFile(join(context, 'Dockerfile'), inputs.dockerfile)
  return context
}
