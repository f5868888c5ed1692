import type Docker from 'dockerode'
import { follow } from './follow.ts'
import type { BuildWatcher } from './watcher.ts'

/** Has the engine build an image and follows it to its end, step by step. Its intermediate containers go in any case. */
export async function runBuild(
  docker: Docker,
  context: NodeJS.ReadableStream,
  options: Docker.ImageBuildOptions & { readonly t: string },
  watcher: BuildWatcher,
): Promise<void> {
  watcher.progress(`building ${options.t}`)
  const answer = await docker.buildImage(context, { ...options, rm: true, forcerm: true })
  await follow(answer, `build ${options.t}`, ({ stream }) => {
    if (stream?.startsWith('Step ') === true) watcher.progress(`  ${stream.trim().slice(0, 78)}`)
  })
}
